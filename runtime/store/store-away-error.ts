/** The store could not be reached, or did not answer as one: nobody knows whether it did what it was asked for. */
export class StoreAwayError extends Error {
  override readonly name = "StoreAwayError";
  /** Whether the request certainly never arrived. */
  readonly notSent: boolean;

  constructor(message: string, options: ErrorOptions & { readonly notSent?: boolean } = {}) {
    super(message, options);
    this.notSent = options.notSent ?? false;
  }
}
