import { render } from 'preact';
import { Shell } from './app/shell.tsx';
import { keepPermalink } from './model/address-bar.ts';
import { Model, ModelContext } from './model/model.ts';
import { applyTheme } from './theme/apply.ts';
import { chooseTransport } from './transport/choose.ts';

const model = new Model(chooseTransport(window));
keepPermalink(model, window);
applyTheme(model.view.theme, window);

const root = document.getElementById('app');
if (root === null) throw new Error('index.html has no #app');
render(
  <ModelContext.Provider value={model}>
    <Shell />
  </ModelContext.Provider>,
  root,
);
