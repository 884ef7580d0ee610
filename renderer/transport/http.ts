import type { App, AppMethod, AppProgress, AppRequests } from '../../engine/app/api.ts';
import { NoAnswer, NotYet, Refused } from './refused.ts';

/** Accepted: what main/serve says of what waits for the replay. */
const STILL_TO_COME = 202;

/** Requests as `POST ./api/NAME` with JSON both ways, progress as server-sent events of `./news`. */
export function httpApp(page: string): App {
  return {
    invoke: (method, input) => post(new URL(`api/${method}`, page), method, input),
    onProgress(listener) {
      const events = new EventSource(new URL('news', page));
      events.onmessage = ({ data }) => listener(JSON.parse(data) as AppProgress);
      return () => events.close();
    },
  };
}

async function post<M extends AppMethod>(
  url: URL,
  method: M,
  input: AppRequests[M]['in'],
): Promise<AppRequests[M]['out']> {
  let response: Response;
  try {
    response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(input),
    });
  } catch {
    throw new NoAnswer('hvrewind serve does not answer: is it still running?');
  }
  if (response.status === STILL_TO_COME) throw new NotYet();
  if (!response.ok) throw new Refused(method, (await response.text()).trim());
  return (await response.json()) as AppRequests[M]['out'];
}
