import type { BesideDetail, BesideField } from '../../engine/app/api-compare.ts';
import { useModel } from '../model/model.ts';
import { Answered } from '../widgets/answered.tsx';
import { CopyButton } from '../widgets/copy-button.tsx';
import { PathButton } from '../widgets/path-button.tsx';
import { SIGNS } from './signs.ts';

const VERDICTS: Readonly<Record<BesideField['verdict'], { readonly mark: string; readonly word: string }>> = {
  differs: { mark: '≠', word: 'differs' },
  named: { mark: '≈', word: 'another name, number or time for the same' },
  same: { mark: '=', word: 'the same' },
};

/** The row of the cursor: the members of both events, and the cells in which the machines differ there. */
export function Detail() {
  const { comparing } = useModel();
  return (
    <div class="diff-detail" role="region" aria-label="the row at the cursor" tabIndex={0}>
      <Answered slot={comparing.detail}>{(detail) => <Tables detail={detail} />}</Answered>
    </div>
  );
}

function Tables({ detail }: { readonly detail: BesideDetail }) {
  const { row, fields, state, stateInAll, textA, textB } = detail;
  const differing = fields.filter(({ verdict }) => verdict === 'differs').length;
  return (
    <>
      <section aria-label="fields" data-row={row.at}>
        <h3>
          {SIGNS[row.sign].mark} {SIGNS[row.sign].word}
          <span class="dim">
            {' '}
            {row.a === undefined && row.elsewhere === undefined ? '' : `A ${row.a?.at ?? row.elsewhere}`}
          </span>
          {textA === undefined ? undefined : <CopyButton text={textA} what="the event of A" />}
          <span class="dim">
            {' '}
            {row.b === undefined && row.elsewhere === undefined ? '' : `B ${row.b?.at ?? row.elsewhere}`}
          </span>
          {textB === undefined ? undefined : <CopyButton text={textB} what="the event of B" />}
          <span class="dim">
            {' '}
            {differing === 0
              ? 'no field differs'
              : `${differing} ${differing === 1 ? 'field differs' : 'fields differ'}`}
          </span>
        </h3>
        <table class="table">
          <thead>
            <tr>
              <th scope="col">Field</th>
              <th scope="col">A</th>
              <th scope="col">B</th>
            </tr>
          </thead>
          <tbody>
            {fields.map(({ path, a, b, verdict }) => (
              <tr key={path} data-verdict={verdict}>
                <th scope="row" class="value" title={VERDICTS[verdict].word}>
                  <b>{VERDICTS[verdict].mark}</b> {path}
                </th>
                <td class="value">{a ?? '–'}</td>
                <td class="value">{b ?? '–'}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      <section aria-label="cells that differ there">
        <h3>
          cells that differ there <span class="dim">{stateInAll}</span>
          {stateInAll > state.length ? <span class="dim">, the first {state.length}</span> : undefined}
        </h3>
        {stateInAll === 0 ? (
          <p class="dim">both machines stand alike</p>
        ) : (
          <table class="table">
            <thead>
              <tr>
                <th scope="col">Cell</th>
                <th scope="col">A</th>
                <th scope="col">B</th>
              </tr>
            </thead>
            <tbody>
              {state.map(({ path, a, b }) => (
                <Cell key={path} path={path} a={a} b={b} />
              ))}
            </tbody>
          </table>
        )}
      </section>
    </>
  );
}

/** A cell of both machines; a press selects it in the other views, which show A. */
function Cell({
  path,
  a,
  b,
}: {
  readonly path: string;
  readonly a: string | null;
  readonly b: string | null;
}) {
  return (
    <tr>
      <th scope="row">
        <PathButton path={path} pressed />
      </th>
      <td class="value">{a ?? 'not known'}</td>
      <td class="value">{b ?? 'not known'}</td>
    </tr>
  );
}
