/** The other side said no: the text says what is wrong with the request. */
export class Refused extends Error {
  constructor(method: string, why: string) {
    super(why === '' ? `${method}: refused` : why);
  }
}

/** Nobody is there to answer. */
export class NoAnswer extends Error {}
