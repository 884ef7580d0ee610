import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { protocol } from 'electron';
import { HEADERS, typeOf } from '../serve/headers.ts';

/** Where the page lives. A scheme of our own has an origin of its own: no file: page, no host, no port. */
const SCHEME = 'hvrewind';
export const ORIGIN = `${SCHEME}://app`;
export const PAGE = `${ORIGIN}/index.html`;

/** Makes the scheme an origin like https (fetch, storage, content policy); only possible before the app is ready. */
export function registerScheme(): void {
  protocol.registerSchemesAsPrivileged([
    { scheme: SCHEME, privileges: { standard: true, secure: true, supportFetchAPI: true } },
  ]);
}

/** Serves the files of `folder`, as they are named now, and nothing else. */
export function serveScheme(folder: string): void {
  const names: ReadonlySet<string> = new Set(readdirSync(folder));
  protocol.handle(SCHEME, async (request) => {
    const url = new URL(request.url);
    const name = url.pathname.slice(1);
    if (url.host !== 'app' || !names.has(name)) return refusal(404, 'no such file');
    if (request.method !== 'GET' && request.method !== 'HEAD') return refusal(405, 'files are read by GET');
    const bytes = await readFile(join(folder, name));
    return new Response(bytes, { headers: { ...HEADERS, 'content-type': typeOf(name) } });
  });
}

/** A page of ours: the only place from which requests are taken and to which a window may go. */
export function isOurs(url: string): boolean {
  return URL.canParse(url) && url.startsWith(`${ORIGIN}/`);
}

function refusal(status: number, text: string): Response {
  return new Response(`${text}\n`, {
    status,
    headers: { ...HEADERS, 'content-type': 'text/plain; charset=utf-8' },
  });
}
