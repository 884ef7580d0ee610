import type { AppRequests } from '../../engine/app/api.ts';
import {
  type DescriptorLife,
  PARTITION_PHASES,
  type PartitionLife,
  type VpLife,
} from '../../engine/app/api-machine.ts';
import { useModel } from '../model/model.ts';
import { Answered } from '../widgets/answered.tsx';
import { useSeen } from '../widgets/seen.ts';
import { secondsText } from '../widgets/time.ts';
import { Changed, Deed, Left } from './deed.tsx';
import { leftText, pagesText } from './words.ts';

/** Lives of partitions, over the trace and at the cursor. */
export function Partitions() {
  const model = useModel();
  useSeen(model.partitionsSeen);
  return <Answered slot={model.partitions}>{(answer) => <Lives answer={answer} />}</Answered>;
}

function Lives({ answer }: { readonly answer: AppRequests['partitions']['out'] }) {
  const { partitions, partitionsInAll, descriptors, descriptorsInAll, at } = answer;
  const isAll = partitions.length === partitionsInAll && descriptors.length === descriptorsInAll;
  const left = leftText(partitions, descriptors);
  return (
    <div
      class="machine"
      data-at={at}
      data-focus="main"
      tabIndex={0}
      role="region"
      aria-label="lives of partitions"
    >
      {partitions.length === 0 && descriptors.length === 0 ? (
        <p class="empty">No child partition is created in this trace, and no file of the driver is opened.</p>
      ) : left === '' ? (
        <p class="residue">
          <span class="verdict-ok">✓ Nothing {isAll ? '' : 'of what is listed '}is left</span> at the end of
          the trace.
        </p>
      ) : (
        <p class="residue">
          <span class="left">
            <b aria-hidden="true">!</b> Left at the end of the trace:
          </span>{' '}
          {left}
        </p>
      )}
      {isAll ? undefined : (
        <p class="dim">
          Around the cursor: {partitions.length} of {partitionsInAll} partitions, {descriptors.length} of{' '}
          {descriptorsInAll} descriptors.
        </p>
      )}
      {partitions.map((life) => (
        <Partition key={life.id} life={life} />
      ))}
      <Descriptors lives={descriptors} />
    </div>
  );
}

function Partition({ life }: { readonly life: PartitionLife }) {
  return (
    <section class="partition" data-id={life.id} aria-label={`partition ${life.id}`}>
      <h3>
        <Changed changed={life.changed} />
        Partition {life.id}{' '}
        <span class="standing" data-now={life.phase === '' || life.phase === 'deleted' ? 'away' : 'there'}>
          {life.phase === '' ? 'not yet created' : life.phase}
        </span>{' '}
        <Left left={life.left} />
      </h3>
      <Phases life={life} />
      <Pool life={life} />
      <Vps lives={life.vps} />
    </section>
  );
}

function Phases({ life }: { readonly life: PartitionLife }) {
  const reached = life.phases.map(({ phase }) => phase);
  const never = PARTITION_PHASES.filter((phase) => !reached.includes(phase));
  const now = life.phases.findIndex(({ phase }) => phase === life.phase);
  return (
    <ol class="phases">
      {life.phases.map(({ phase, deed }, i) => (
        <li
          key={phase}
          data-now={i === now}
          data-passed={i <= now}
          aria-current={i === now ? 'step' : undefined}
        >
          <span class="phase-name">
            <span aria-hidden="true">{i === now ? '◉' : i < now ? '●' : '○'}</span> {phase}
          </span>
          <Deed deed={deed} />
          <span class="value dim">{secondsText(deed.tNs)} s</span>
        </li>
      ))}
      {never.map((phase) => (
        <li key={phase} data-passed={false}>
          <span class="phase-name dim">
            <span aria-hidden="true">–</span> never {phase}
          </span>
        </li>
      ))}
    </ol>
  );
}

function Pool({ life }: { readonly life: PartitionLife }) {
  const { deposits, deposited, used } = life;
  return (
    <>
      <h4>
        pool{' '}
        <span class="dim">
          {pagesText(deposited)} deposited at the cursor, {used} of them taken
        </span>
      </h4>
      {deposits.length === 0 ? undefined : (
        <table class="table">
          <tbody>
            {deposits.map(({ deed, pages, after }) => (
              <tr key={deed.at}>
                <th scope="row">
                  <Deed deed={deed} />
                </th>
                <td class="value">
                  {pages > 0 ? '+' : '−'}
                  {Math.abs(pages)}
                </td>
                <td class="value dim">{pagesText(after)} then</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </>
  );
}

function Vps({ lives }: { readonly lives: readonly VpLife[] }) {
  if (lives.length === 0) return <p class="dim">It gets no VP.</p>;
  return (
    <table class="table">
      <thead>
        <tr>
          <th scope="col">VP</th>
          <th scope="col">now</th>
          <th scope="col">runs</th>
          <th scope="col">created</th>
          <th scope="col">deleted</th>
        </tr>
      </thead>
      <tbody>
        {lives.map((life) => (
          <tr key={`${life.vp} ${life.created.at}`}>
            <th scope="row" class="value">
              <Changed changed={life.changed} />
              {life.vp}
            </th>
            <td>{life.held === '' ? life.now : life.held}</td>
            <td class="value">
              {life.runsSoFar} <span class="dim">of {life.runs}</span>
            </td>
            <td>
              <Deed deed={life.created} />
            </td>
            <td>{life.deleted === undefined ? <Left left={life.left} /> : <Deed deed={life.deleted} />}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const NOW_TEXT: Readonly<Record<DescriptorLife['now'], string>> = {
  'not yet': 'not yet',
  there: 'open',
  gone: 'closed',
};

function Descriptors({ lives }: { readonly lives: readonly DescriptorLife[] }) {
  if (lives.length === 0) return undefined;
  return (
    <section aria-label="descriptors">
      <h3>
        Descriptors <span class="dim">{lives.length}</span>
      </h3>
      <table class="table descriptors">
        <thead>
          <tr>
            <th scope="col">process</th>
            <th scope="col">fd</th>
            <th scope="col">of</th>
            <th scope="col">now</th>
            <th scope="col">opened</th>
            <th scope="col">closed</th>
          </tr>
        </thead>
        <tbody>
          {lives.map((life) => (
            <tr key={`${life.process} ${life.fd} ${life.opened.at}`} data-now={life.now}>
              <td class="value">{life.process}</td>
              <th scope="row" class="value">
                <Changed changed={life.changed} />
                {life.fd}
              </th>
              <td class="value">{life.handle}</td>
              <td>{NOW_TEXT[life.now]}</td>
              <td>
                <Deed deed={life.opened} />
              </td>
              <td>{life.closed === undefined ? <Left left={life.left} /> : <Deed deed={life.closed} />}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
