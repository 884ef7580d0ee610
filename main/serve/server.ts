import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { AppProgress } from '../../engine/app/api.ts';
import { type AppCall, readCall } from '../../engine/app/border.ts';
import type { Reply } from '../../engine/app/shell.ts';
import { Guard } from './guard.ts';
import { HEADERS, typeOf } from './headers.ts';

const MAX_BODY_BYTES = 1 << 20;

/** Who answers the page. */
export interface Answering {
  readonly progress: AppProgress;
  ask(call: AppCall): Promise<Reply>;
}

export interface Served {
  /** The address to open, with the token. */
  readonly url: string;
  readonly port: number;
  /** Tells every open page how far long work has come. */
  progress(progress: AppProgress): void;
  close(): Promise<void>;
}

/**
 * Serves the app on 127.0.0.1: the renderer's files, its requests (POST ./api/NAME, JSON both ways) and its
 * progress (server-sent events). `files` are the bundled renderer by path (`index.html`, `app.js`, …).
 */
export async function serveApp(
  files: ReadonlyMap<string, Uint8Array>,
  answering: Answering,
  port: number,
): Promise<Served> {
  const token = randomBytes(24).toString('base64url');
  const listeners = new Set<ServerResponse>();
  let guard: Guard | undefined;
  const server = createServer((request, response) => {
    if (guard !== undefined) handle(guard, files, answering, listeners, request, response);
  });
  const bound = await listen(server, port);
  guard = new Guard(token, bound);
  return {
    url: `http://127.0.0.1:${bound}/?token=${token}`,
    port: bound,
    progress: (progress) => {
      for (const listener of listeners) listener.write(news(progress));
    },
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

async function listen(server: Server, port: number): Promise<number> {
  await new Promise<void>((done, fail) => {
    server.once('error', fail);
    server.listen(port, '127.0.0.1', done);
  });
  return (server.address() as AddressInfo).port;
}

function handle(
  guard: Guard,
  files: ReadonlyMap<string, Uint8Array>,
  answering: Answering,
  listeners: Set<ServerResponse>,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const refusal = guard.refuse(request);
  if (refusal !== undefined) {
    end(response, refusal.status, refusal.why);
    return;
  }
  const path = new URL(request.url ?? '/', 'http://localhost').pathname.slice(1);
  if (path === '' && guard.tokenOf(request) === 'address') {
    // The token leaves the address bar at once: links that are shared must not carry it.
    response.writeHead(303, { ...HEADERS, location: '/', 'set-cookie': guard.cookie() }).end();
  } else if (path === 'news') {
    subscribe(listeners, answering.progress, request, response);
  } else if (path.startsWith('api/')) {
    if (request.method === 'POST') void call(answering, path.slice('api/'.length), request, response);
    else end(response, 405, 'requests are made by POST');
  } else {
    file(files, path === '' ? 'index.html' : path, request, response);
  }
}

function subscribe(
  listeners: Set<ServerResponse>,
  now: AppProgress,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  response.writeHead(200, { ...HEADERS, 'content-type': 'text/event-stream' });
  response.write(news(now));
  listeners.add(response);
  request.on('close', () => listeners.delete(response));
}

function news(progress: AppProgress): string {
  return `data: ${JSON.stringify(progress)}\n\n`;
}

async function call(
  answering: Answering,
  method: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = await bodyOf(request);
  if (body === undefined) {
    end(response, 413, `a request has at most ${MAX_BODY_BYTES} bytes`);
    return;
  }
  const checked = readCall(method, parsed(body));
  if ('problem' in checked) {
    end(response, 400, checked.problem);
    return;
  }
  const reply = await answering.ask(checked);
  if ('problem' in reply) {
    end(response, 422, reply.problem);
  } else if ('waiting' in reply) {
    // Taken in, and to be asked again: browsers report what is above 399 as an error of the page.
    end(response, 202, 'the replay is under way');
  } else {
    const text = JSON.stringify(reply.value);
    response.writeHead(200, { ...HEADERS, 'content-type': 'application/json' }).end(text);
  }
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request) {
    size += (part as Buffer).length;
    if (size > MAX_BODY_BYTES) return undefined;
    parts.push(part as Buffer);
  }
  return Buffer.concat(parts).toString('utf8');
}

function file(
  files: ReadonlyMap<string, Uint8Array>,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const bytes = files.get(path);
  if (bytes === undefined) {
    end(response, 404, 'no such file');
    return;
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    end(response, 405, 'files are read by GET');
    return;
  }
  response.writeHead(200, { ...HEADERS, 'content-type': typeOf(path) });
  response.end(request.method === 'HEAD' ? undefined : bytes);
}

function end(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { ...HEADERS, 'content-type': 'text/plain; charset=utf-8' }).end(`${text}\n`);
}
