import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { CustomScheme, Protocol } from 'electron';
import { control } from './control-state.ts';
import { strict } from './strict.ts';
import { fromWire, need, type SchemeHandler, world } from './world.ts';

type ProtocolMembers = Pick<Protocol, 'registerSchemesAsPrivileged' | 'handle'>;

export const protocol: ProtocolMembers = strict('protocol', {
  registerSchemesAsPrivileged(schemes: CustomScheme[]): void {
    need('not ready', 'protocol.registerSchemesAsPrivileged');
    for (const { scheme, privileges } of schemes) {
      if (privileges?.standard === true && privileges.secure === true) world.standardSchemes.add(scheme);
    }
  },
  handle(scheme: string, handler: SchemeHandler): void {
    need('ready', 'protocol.handle');
    if (world.handlers.has(scheme)) throw new Error(`Failed to register protocol: ${scheme}`);
    if (!world.standardSchemes.has(scheme))
      throw new Error(`electron double: scheme ${scheme} is not registered as standard and secure`);
    world.handlers.set(scheme, handler);
  },
});

/** Starts the loopback server that stands behind the app's schemes. */
export async function serveSchemes(): Promise<Server> {
  const server = createServer((request, response) => void pass(request, response));
  const listening = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', listening.resolve);
  await listening.promise;
  world.port = (server.address() as AddressInfo).port;
  return server;
}

async function pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = fromWire(`http://${request.headers.host}${request.url}`);
  const handler = world.handlers.get(url.slice(0, url.indexOf(':')));
  if (handler === undefined) {
    response.writeHead(403).end();
    return;
  }
  try {
    const answer = await handler(new Request(url, { method: request.method ?? 'GET' }));
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    response.end(Buffer.from(await answer.arrayBuffer()));
  } catch (error) {
    control.pageErrors.push(String(error));
    response.destroy();
  }
}
