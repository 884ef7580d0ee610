import { useModel } from '../model/model.ts';
import { Position } from '../widgets/position.tsx';

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
