/** The other side said no: the text says what is wrong with the request. */
export class Refused extends Error {
  constructor(method: string, why: string) {
    super(why === '' ? `${method}: refused` : why);
  }
}

/** Only the replay will tell, and it has not come to its end. */
export class NotYet extends Error {}

/** Nobody is there to answer. */
export class NoAnswer extends Error {}
