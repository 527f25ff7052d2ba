/** A value that is made when it is first needed, so that loading this package stays quick. */
export function lazily<Value extends {}>(make: () => Value): () => Value {
  let value: Value | undefined
  return () => {
    value ??= make()
    return value
  }
}
