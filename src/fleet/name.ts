const NAME = /^[\w.-]{1,64}$/

/** Whether a text can be the name or the scope of a fleet, which are parts of the keys in the store. */
export const isName = (text: string): boolean => NAME.test(text)

/** What is said of a text that cannot, behind it. */
export const NO_NAME = 'is not a name of 1 to 64 letters, digits, ".", "_" and "-".'
