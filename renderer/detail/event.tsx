import { useRef } from 'preact/hooks';
import type { AnswerView, EventDetail, EventRow, WriteView } from '../../engine/app/api.ts';
import { questionOf } from '../blame/question.ts';
import { WhyButton } from '../blame/why-button.tsx';
import { useModel } from '../model/model.ts';
import { eventAt } from '../model/place.ts';
import { showFinding } from '../model/show.ts';
import { Answered, Replaying } from '../widgets/answered.tsx';
import { CopyButton } from '../widgets/copy-button.tsx';
import { EventLine } from '../widgets/event-line.tsx';
import { Facts } from '../widgets/facts.tsx';
import { useFocusHere } from '../widgets/focus-here.ts';
import { Glyph } from '../widgets/glyph.tsx';
import { Name } from '../widgets/name.tsx';
import { Owner } from '../widgets/owner.tsx';
import { PathButton } from '../widgets/path-button.tsx';
import { Position } from '../widgets/position.tsx';
import { secondsText, timeText } from '../widgets/time.ts';
import { Buffer } from './buffer.tsx';

/** The event at the cursor. */
export function Event() {
  const model = useModel();
  if (model.view.at.value === '0') {
    return <p class="empty">Position 0 is the initial state: before the first event.</p>;
  }
  return <Answered slot={model.event}>{(detail) => <Detail detail={detail} />}</Answered>;
}

function Detail({ detail }: { readonly detail: EventDetail }) {
  const region = useRef<HTMLDivElement>(null);
  useFocusHere(region);
  const { at } = detail.row;
  return (
    <div
      ref={region}
      class="detail"
      data-at={at}
      data-focus="main"
      tabIndex={0}
      role="region"
      aria-label={`event ${at}`}
    >
      <Head detail={detail} />
      <FindingLinks detail={detail} />
      {detail.replayed ? undefined : <Replaying what="the engine’s answer, its writes and derived events" />}
      <Answers answers={detail.answers} rule={detail.rule} row={detail.row} />
      {detail.buffers.map((buffer) => (
        <Buffer key={`${at} ${buffer.name}`} id={`buffer-${buffer.name}`} buffer={buffer} />
      ))}
      <Writes writes={detail.writes} />
      <Family detail={detail} />
      <section aria-label="event text">
        <h3>
          event text <CopyButton text={detail.text} what="the line of event text" />
        </h3>
        <pre class="event-text" data-copy={detail.text}>
          {detail.text}
        </pre>
      </section>
    </div>
  );
}

function Head({ detail }: { readonly detail: EventDetail }) {
  const { row } = detail;
  const { at } = useModel().view;
  const returned = at.value !== eventAt(at.value);
  return (
    <header class="detail-head">
      <h2>
        <Glyph kind={row.kind} provenance={row.provenance} />
        <span class="value">{row.at}</span>
        <span class="detail-op">
          <Name text={row.op} />
        </span>
        {row.component === undefined ? undefined : <Owner component={row.component} />}
      </h2>
      {returned ? <p class="dim">The cursor stands right after this call returned.</p> : undefined}
      <Facts
        facts={[
          ['time', `${secondsText(row.tNs)} s`],
          ['duration', row.durationNs === undefined ? undefined : timeText(row.durationNs)],
          ['by', row.who === '' ? undefined : row.who],
          ['handle', row.handle],
          ['provenance', row.provenance],
        ]}
      />
    </header>
  );
}

function FindingLinks({ detail }: { readonly detail: EventDetail }) {
  const model = useModel();
  const findings = model.findings.value.value?.findings ?? [];
  const about = findings.filter(({ id }) => detail.row.findings.includes(id));
  if (about.length === 0) return undefined;
  return (
    <section aria-label="findings about this event">
      {about.map((finding) => (
        <button
          key={finding.id}
          type="button"
          class="finding-link"
          data-severity={finding.severity}
          onClick={() => showFinding(model, finding)}
        >
          <b>
            {eventAt(finding.culprit.at) === detail.row.at ? '▲ culprit of' : '● proof of'} {finding.rule}
          </b>{' '}
          {finding.title}
        </button>
      ))}
    </section>
  );
}

const VERDICT_SIGNS: Readonly<Record<AnswerView['verdict'], string>> = {
  checked: '✓',
  bound: '∙',
  diverges: '≠',
  'not recorded': '∙',
  unmodelled: '?',
};

function Answers(props: {
  readonly answers: readonly AnswerView[];
  readonly rule: string | undefined;
  readonly row: EventRow;
}) {
  const why = questionOf(props.row);
  if (props.answers.length === 0) return undefined;
  return (
    <section aria-label="answer">
      <table class="table">
        <thead>
          <tr>
            <th scope="col">answer</th>
            <th scope="col">recorded</th>
            <th scope="col">engine</th>
            <th scope="col">verdict</th>
          </tr>
        </thead>
        <tbody>
          {props.answers.map(({ field, recorded, predicted, verdict }) => (
            <tr key={field} data-verdict={verdict}>
              <th scope="row">{field}</th>
              <td class="value">{recorded === undefined ? '–' : <Name text={recorded} />}</td>
              <td class="value">
                <Name text={predicted} />
              </td>
              <td class="verdict">
                <span aria-hidden="true">{VERDICT_SIGNS[verdict]} </span>
                {verdict}
                {props.rule === undefined ? undefined : <span class="dim value"> {props.rule}</span>}
                {why === undefined ? undefined : <WhyButton of={why} />}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Writes({ writes }: { readonly writes: readonly WriteView[] }) {
  const model = useModel();
  if (writes.length === 0) return undefined;
  return (
    <section aria-label="cells written">
      <h3>
        wrote <span class="dim">{writes.length === 1 ? '1 cell' : `${writes.length} cells`}</span>
      </h3>
      <table class="table">
        <tbody>
          {writes.map((write) => (
            <tr key={`${write.at} ${write.path}`}>
              <th scope="row">
                <PathButton path={write.path} />
              </th>
              <td class="value">
                <span class="dim">{write.old ?? '?'}</span> → {write.now}
              </td>
              <td>{write.at === eventAt(model.view.at.value) ? undefined : <Position at={write.at} />}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Family({ detail }: { readonly detail: EventDetail }) {
  const { parent, children } = detail;
  if (parent === undefined && children.length === 0) return undefined;
  return (
    <section aria-label="causes and consequences">
      {parent === undefined ? undefined : (
        <>
          <h3>caused by</h3>
          <Lines rows={[parent]} />
        </>
      )}
      {children.length === 0 ? undefined : (
        <>
          <h3>
            caused <span class="dim">{children.length === 1 ? '1 event' : `${children.length} events`}</span>
          </h3>
          <Lines rows={children} />
        </>
      )}
    </section>
  );
}

function Lines({ rows }: { readonly rows: readonly EventRow[] }) {
  return (
    <ul class="lines">
      {rows.map((row) => (
        <li key={row.at}>
          <EventLine row={row} />
        </li>
      ))}
    </ul>
  );
}
