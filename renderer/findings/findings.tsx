import type { FindingView } from '../../engine/app/api.ts';
import { WhyButton } from '../blame/why-button.tsx';
import { useModel } from '../model/model.ts';
import { eventAt } from '../model/place.ts';
import { hideFinding, showFinding } from '../model/show.ts';
import { SuggestButton } from '../whatif/suggest-button.tsx';
import { Answered } from '../widgets/answered.tsx';
import { CopyButton } from '../widgets/copy-button.tsx';
import { EventLine } from '../widgets/event-line.tsx';
import { Owner } from '../widgets/owner.tsx';
import { PathButton } from '../widgets/path-button.tsx';
import { Position } from '../widgets/position.tsx';
import { DivergenceLine, Divergences } from './divergences.tsx';

/** The verdicts on the trace. */
export function Findings() {
  const model = useModel();
  return <Answered slot={model.findings}>{({ findings }) => <Verdicts findings={findings} />}</Answered>;
}

function Verdicts({ findings }: { readonly findings: readonly FindingView[] }) {
  const model = useModel();
  return (
    <div class="findings" data-focus="main" tabIndex={0} role="region" aria-label="findings and divergences">
      <DivergenceLine />
      {findings.length === 0 ? (
        <p class="empty">
          <span class="verdict-ok">✓ No findings.</span> No rule has anything to say about this trace.
        </p>
      ) : (
        byRule(findings).map(([rule, own]) => (
          <section key={rule} class="rule-group" aria-label={`findings of rule ${rule}`}>
            {findings.length === 1 ? undefined : (
              <h2 class="rule-head">
                {rule} <span class="dim">{own.length === 1 ? '1 finding' : `${own.length} findings`}</span>
              </h2>
            )}
            <ul>
              {own.map((finding) => (
                <li key={finding.id}>
                  <Finding finding={finding} open={model.shown.value === finding || findings.length === 1} />
                </li>
              ))}
            </ul>
          </section>
        ))
      )}
      <Divergences />
    </div>
  );
}

/** Rules in the order of their first finding. */
function byRule(findings: readonly FindingView[]): (readonly [string, readonly FindingView[]])[] {
  const rules = new Map<string, FindingView[]>();
  for (const finding of findings) rules.set(finding.rule, [...(rules.get(finding.rule) ?? []), finding]);
  return [...rules];
}

const SEVERITY_SIGNS: Readonly<Record<FindingView['severity'], string>> = {
  error: '✕',
  warning: '!',
  info: 'i',
};

function Finding({ finding, open }: { readonly finding: FindingView; readonly open: boolean }) {
  const model = useModel();
  const shown = model.shown.value === finding;
  return (
    <article class="finding" data-id={finding.id} data-severity={finding.severity} data-shown={shown}>
      <header>
        <span class="severity">
          <b aria-hidden="true">{SEVERITY_SIGNS[finding.severity]}</b> {finding.severity}
        </span>
        <b class="value">{finding.rule}</b>
        <Owner component={finding.culprit.component} />
        <span>
          at <Position at={finding.culprit.at} />
        </span>
        {finding.cpus === undefined ? undefined : (
          <span class="dim">
            {finding.cpus.length === 1 ? 'CPU' : 'CPUs'} {finding.cpus.join(', ')}
          </span>
        )}
        {finding.vp === undefined ? undefined : (
          <span class="dim">
            VP {finding.partition}.{finding.vp}
          </span>
        )}
        <button
          type="button"
          class="show-me"
          aria-pressed={shown}
          title={shown ? 'leave the finding ( Esc )' : 'cursor, lanes and cells arrange themselves ( n )'}
          onClick={() => (shown ? hideFinding(model) : showFinding(model, finding))}
        >
          {shown ? 'Shown' : 'Show me'}
        </button>
      </header>
      <h3>{finding.title}</h3>
      {open ? <Proof finding={finding} /> : undefined}
    </article>
  );
}

function Proof({ finding }: { readonly finding: FindingView }) {
  const model = useModel();
  const rows = model.proofRows.value;
  const evidence = finding.evidence.map(eventAt);
  const culprit = eventAt(finding.culprit.at);
  // In the order in which it happened, with the culprit in its place.
  const places = [...new Set(evidence.includes(culprit) ? evidence : [culprit, ...evidence])];
  return (
    <div class="proof">
      <p class="fix">
        <b>Fix</b> {finding.fix} <CopyButton text={finding.fix} what="the fix" />
      </p>
      <SuggestButton finding={finding} />
      <h4>
        Proof <span class="dim">{places.length === 1 ? '1 event' : `${places.length} events`}</span>
      </h4>
      <ol class="lines">
        {places.map((at) => {
          const row = rows.get(at);
          return (
            <li key={at} data-culprit={at === culprit}>
              {row === undefined ? (
                <Position at={at} />
              ) : (
                <EventLine row={row} sign={at === culprit ? '▲' : '●'} />
              )}
            </li>
          );
        })}
      </ol>
      <h4>Cells</h4>
      <ul class="cells">
        {finding.cells.map((path) => (
          <li key={path}>
            <PathButton path={path} pressed />
            <WhyButton of={path} />
          </li>
        ))}
      </ul>
    </div>
  );
}
