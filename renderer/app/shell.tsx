import { type Signal, useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { listenForKeys } from '../commands/listen.ts';
import { useModel } from '../model/model.ts';
import { arrangement } from './arrange.ts';
import { GoTo } from './goto.tsx';
import { Header } from './header.tsx';
import { Palette } from './palette.tsx';
import { isPanel } from './panel-names.ts';
import { Sheet } from './sheet.tsx';
import { Arranged } from './split.tsx';
import { Status } from './status.tsx';

/** The whole window. */
export function Shell() {
  const model = useModel();
  const widthPx = useSignal(window.innerWidth);
  useEffect(() => listenForKeys(model, window), []);
  useEffect(
    () =>
      model.app.onProgress((progress) => {
        model.progress.value = progress;
      }),
    [],
  );
  useEffect(
    () =>
      model.desk?.onLine((line) => {
        model.notice.value = line;
      }),
    [],
  );
  useWidth(widthPx);
  const alone = model.maximised.value;
  const dialog = model.dialog.value;
  return (
    <>
      <Header />
      <main>
        <Arranged
          arrangement={isPanel(alone) ? { kind: 'stack', panels: [alone] } : arrangement(widthPx.value)}
        />
      </main>
      <Status />
      {dialog === 'palette' ? <Palette /> : undefined}
      {dialog === 'sheet' ? <Sheet /> : undefined}
      {dialog === 'goto' ? <GoTo /> : undefined}
    </>
  );
}

function useWidth(widthPx: Signal<number>): void {
  useEffect(() => {
    const measure = (): void => {
      widthPx.value = window.innerWidth;
    };
    window.addEventListener('resize', measure);
    return () => window.removeEventListener('resize', measure);
  }, []);
}
