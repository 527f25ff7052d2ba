import type { PolicyOptions } from '../guard/guard.js'
import { type ActionOptions, type Actions, readRouteOptions } from './actions.js'

/** What one route accepts and does; `policy` is undefined where it is the guard's. */
export interface Route<OnReject> {
  readonly policy: PolicyOptions | undefined
  readonly actions: Actions<OnReject>
}

/** The routes of a guard: the options of each are read once. */
export class Routes<OnReject> {
  readonly #check: (policy: PolicyOptions) => void
  readonly #plain: Route<OnReject>
  readonly #known = new WeakMap<object, Route<OnReject>>()

  /** @param check what a route accepts */
  constructor(check: (policy: PolicyOptions) => void, actions: Actions<OnReject>) {
    this.#check = check
    this.#plain = { policy: undefined, actions }
  }

  /** @throws OptionsError (`MOE_ERR_OPTIONS`) when the options are wrong */
  of(options: (PolicyOptions & ActionOptions<OnReject>) | undefined): Route<OnReject> {
    if (options === undefined) return this.#plain
    let route = this.#known.get(options)
    if (route === undefined) {
      route = readRouteOptions(options, this.#plain.actions)
      if (route.policy !== undefined) this.#check(route.policy)
      this.#known.set(options, route)
    }
    return route
  }
}
