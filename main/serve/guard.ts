import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

const COOKIE = 'hvrewind';

/** Why a request is refused; undefined when it may pass. */
export interface Refusal {
  readonly status: 401 | 403;
  readonly why: string;
}

/**
 * Lets only the page that this process opened talk to it: the token comes once in the address and is then a
 * cookie; the Host must be ours (a foreign name that resolves to 127.0.0.1 is DNS rebinding); a foreign Origin
 * is another site's script.
 */
export class Guard {
  readonly #token: string;
  readonly #hosts: ReadonlySet<string>;

  constructor(token: string, port: number) {
    this.#token = token;
    this.#hosts = new Set([`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`]);
  }

  refuse(request: IncomingMessage): Refusal | undefined {
    const { host, origin } = request.headers;
    if (host === undefined || !this.#hosts.has(host)) return { status: 403, why: 'foreign Host' };
    if (origin !== undefined && origin !== `http://${host}`) return { status: 403, why: 'foreign Origin' };
    if (this.tokenOf(request) === undefined) return { status: 401, why: 'no valid token' };
    return undefined;
  }

  /** `address` when the token stands in the query, `cookie` when in the cookie; undefined without a valid one. */
  tokenOf(request: IncomingMessage): 'address' | 'cookie' | undefined {
    const url = new URL(request.url ?? '/', 'http://localhost');
    if (this.#valid(url.searchParams.get('token') ?? '')) return 'address';
    const cookies = (request.headers.cookie ?? '').split(';').map((c) => c.trim());
    const value = cookies.find((c) => c.startsWith(`${COOKIE}=`))?.slice(COOKIE.length + 1);
    return value !== undefined && this.#valid(value) ? 'cookie' : undefined;
  }

  /** Sets the cookie that replaces the token in the address. */
  cookie(): string {
    return `${COOKIE}=${this.#token}; HttpOnly; SameSite=Strict; Path=/`;
  }

  #valid(text: string): boolean {
    const given = Buffer.from(text);
    const wanted = Buffer.from(this.#token);
    return given.length === wanted.length && timingSafeEqual(given, wanted);
  }
}
