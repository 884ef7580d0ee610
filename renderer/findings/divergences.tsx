import { useModel } from '../model/model.ts';
import { Position } from '../widgets/position.tsx';

/** Above the findings: that the trace is not what the engine would have made, which every finding rests on. */
export function DivergenceLine() {
  const divergences = useModel().replay.value.value?.divergences ?? [];
  const first = divergences[0];
  if (first === undefined) return undefined;
  const count = divergences.length === 1 ? '1 answer differs' : `${divergences.length} answers differ`;
  return (
    <p class="divergence-line">
      <b aria-hidden="true">≠</b> {count} from the engine’s, first at <Position at={first.at} />{' '}
      <span class="dim">(listed below; Shift+N steps through them)</span>
    </p>
  );
}

/** Answers of the trace that differ from the engine's own. */
export function Divergences() {
  const divergences = useModel().replay.value.value?.divergences ?? [];
  if (divergences.length === 0) return undefined;
  return (
    <section aria-label="divergences">
      <h3 class="divergences-title">
        ≠ Divergences <span class="dim">{divergences.length}</span>
      </h3>
      <table class="table">
        <thead>
          <tr>
            <th scope="col">event</th>
            <th scope="col">field</th>
            <th scope="col">recorded</th>
            <th scope="col">engine</th>
            <th scope="col">by</th>
          </tr>
        </thead>
        <tbody>
          {divergences.map(({ at, field, expected, actual, rule }) => (
            <tr key={`${at} ${field}`}>
              <td>
                <Position at={at} />
              </td>
              <td class="value">{field}</td>
              <td class="value">{actual}</td>
              <td class="value">{expected}</td>
              <td class="value dim">{rule}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
