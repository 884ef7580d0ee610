import { render } from 'preact';
import { Shell } from './app/shell.tsx';
import { Start } from './app/start.tsx';
import { keepPermalink } from './model/address-bar.ts';
import { Model, ModelContext } from './model/model.ts';
import { applyTheme } from './theme/apply.ts';
import { chooseTransport } from './transport/choose.ts';

const { app, desk } = chooseTransport(window);
const root = document.getElementById('app');
if (root === null) throw new Error('index.html has no #app');

// A desktop window may have no trace yet; when one is opened, the page is loaded anew.
const status = await desk?.ask('status', {});
const hasTrace = desk === undefined || status?.trace !== null;
// Before the first request: what is asked after the replay is asked once.
const progress = hasTrace ? await app.invoke('progress', {}).catch(() => undefined) : undefined;
const model = new Model(app, desk, progress);
keepPermalink(model, window);
applyTheme(model.view.theme, window);
model.notice.value = status?.line ?? '';
render(
  <ModelContext.Provider value={model}>
    {desk !== undefined && !hasTrace ? <Start desk={desk} recent={status?.recent ?? []} /> : <Shell />}
  </ModelContext.Provider>,
  root,
);
