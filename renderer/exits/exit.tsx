import type { BufferView } from '../../engine/app/api.ts';
import type { ExitDetail, RegisterView } from '../../engine/app/api-exits.ts';
import { useModel } from '../model/model.ts';
import { Answered } from '../widgets/answered.tsx';
import { Fact, Facts } from '../widgets/facts.tsx';
import { Name } from '../widgets/name.tsx';
import { Position } from '../widgets/position.tsx';
import { timeText } from '../widgets/time.ts';
import { aboutOf, ranNs, timesText } from './words.ts';

/** The exit at the cursor, or the last one before it, in full. */
export function Exit() {
  const model = useModel();
  const asked = model.exit.answer.value?.input;
  return (
    <Answered slot={model.exit}>
      {({ exit }) => (
        <div class="exit" data-at={asked?.at} tabIndex={0} role="region" aria-label="the exit in full">
          {exit === null ? <p class="empty">No VP has run yet at the cursor.</p> : <Full exit={exit} />}
        </div>
      )}
    </Answered>
  );
}

function Full({ exit }: { readonly exit: ExitDetail }) {
  const { row } = exit;
  const ran = ranNs(row);
  const took = row.answeredNs === undefined ? undefined : timeText(row.answeredNs);
  return (
    <>
      <h3>
        <Position at={row.at} /> <Name text={row.type ?? 'no message'} />
      </h3>
      <p>
        {row.type === undefined || row.place === undefined ? '' : aboutOf(row)}
        {row.value === undefined ? undefined : <span class="value"> = {row.value}</span>}
      </p>
      <Facts
        facts={[
          ['VP', row.vp],
          ['guest ran', ran === undefined ? 'it still runs' : timeText(ran)],
          ['VMM took', took],
          ['answer of the call', row.result],
        ]}
      >
        <Neighbour name="before" at={exit.previous} />
        <Neighbour name="after" at={exit.next} />
      </Facts>
      <Answer exit={exit} />
      <Registers registers={exit.registers} />
      {exit.message === undefined ? undefined : <Message message={exit.message} />}
    </>
  );
}

function Neighbour({ name, at }: { readonly name: string; readonly at: string | undefined }) {
  if (at === undefined) return undefined;
  return (
    <Fact name={name}>
      <Position at={at} label={`to the exit of this VP ${name} this one, ${at}`} />
    </Fact>
  );
}

function Answer({ exit }: { readonly exit: ExitDetail }) {
  const { answer, row } = exit;
  return (
    <section aria-label="what the VMM did">
      <h4>
        what the VMM did{' '}
        <span class="dim">
          {exit.next === undefined ? 'until the end' : 'until the VP ran again'}:{' '}
          {timesText(row.calls, 'call')}
        </span>
      </h4>
      <ul class="lines">
        {answer.map((call) => (
          <li key={call.at}>
            <span class="exit-call">
              <Position at={call.at} />
              <span class="exit-call-op" title={call.summary}>
                <Name text={call.op} /> <span class="dim">{call.summary}</span>
              </span>
              <span class="value" data-failed={call.failed}>
                {call.failed ? '✕ ' : ''}
                {call.result}
              </span>
            </span>
          </li>
        ))}
      </ul>
      {answer.length < row.calls ? <p class="dim">The first {answer.length} are listed.</p> : undefined}
    </section>
  );
}

function Registers({ registers }: { readonly registers: readonly RegisterView[] }) {
  if (registers.length === 0) return undefined;
  return (
    <section aria-label="registers">
      <h4>registers</h4>
      <table class="table registers">
        <thead>
          <tr>
            <th scope="col">register</th>
            <th scope="col">entry</th>
            <th scope="col">exit</th>
            <th scope="col">left by the VMM</th>
          </tr>
        </thead>
        <tbody>
          {registers.map(({ name, entry, exit, next, byGuest, byVmm }) => (
            <tr key={name} data-changed={byGuest || byVmm}>
              <th scope="row" class="value">
                {name}
              </th>
              <Value value={entry} changed={false} />
              <Value value={exit} changed={byGuest} />
              <Value value={next} changed={byVmm} />
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Value({ value, changed }: { readonly value: string | null; readonly changed: boolean }) {
  return (
    <td class="value" data-changed={changed}>
      {changed ? (
        <b class="changed" role="img" aria-label="changed">
          Δ{' '}
        </b>
      ) : undefined}
      {value ?? <span title="not known">?</span>}
    </td>
  );
}

/** What the message says, without what is 0 and what only holds other fields. */
function Message({ message }: { readonly message: BufferView }) {
  const prefix = 'payload.';
  const fields = message.fields.filter(
    ({ path, value }) => path.startsWith(prefix) && value !== '' && !/^(0x)?0*$/.test(value),
  );
  if (fields.length === 0) return undefined;
  return (
    <section aria-label="message">
      <h4>
        message <span class="dim">fields that are not 0; the event has all of it</span>
      </h4>
      <table class="table">
        <tbody>
          {fields.map(({ path, value, meaning }) => (
            <tr key={path}>
              <th scope="row" class="value">
                {path.slice(prefix.length)}
              </th>
              <td class="value">{value}</td>
              <td class="dim">{meaning === undefined ? undefined : <Name text={meaning} />}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
