import { FD, FILE_KINDS } from '../../drivers/cells/system.ts';
import { PARTITION, PARTITION_STATES, VP } from '../../hypervisor/index.ts';
import type { ObjectRow } from '../../state/store.ts';
import { at as address, formatAddress } from '../../trace/position.ts';
import type {
  DepositView,
  DescriptorLife,
  MachineRequests,
  PartitionLife,
  PartitionPhase,
  VpLife,
} from '../api-machine.ts';
import type { ExitIndex } from '../exits/exit-index.ts';
import { cellIn, isOwn, type MachineGround, numberIn } from './ground.ts';
import { changedAt, type Life, livesOf, standing } from './lives.ts';

/** Changes of a pool that are listed, the newest. */
const MAX_DEPOSITS = 200;

/** Partitions, VPs and descriptors: when they came, when they went, and how they stand. */
export function partitionLives(
  ground: MachineGround,
  exits: ExitIndex,
): MachineRequests['partitions']['out'] {
  const runs = runsByVp(ground, exits);
  const partitions = ground.objects.all(PARTITION).filter((row) => !isOwn(ground, row));
  const descriptors = ground.objects
    .all(FD)
    .flatMap((row) => livesOf(ground.history, row).map((life) => ({ row, life, from: life.from })));
  return {
    at: formatAddress(ground.at),
    partitions: near(
      partitions.map((row) => ({ row, from: livesOf(ground.history, row)[0]?.from ?? 0 })),
      MAX_PARTITIONS,
      ground,
    ).map(({ row }) => partitionLife(ground, row, runs)),
    partitionsInAll: partitions.length,
    descriptors: near(descriptors, MAX_DESCRIPTORS, ground).map(({ row, life }) =>
      descriptorLife(ground, row, life),
    ),
    descriptorsInAll: descriptors.length,
  };
}

/** Partitions and descriptors that are listed; a trace of days has thousands. */
const MAX_PARTITIONS = 50;
const MAX_DESCRIPTORS = 200;

/** Of lives in the order of their beginning, the last that have begun at the cursor, then those that follow. */
function near<T extends { readonly from: number }>(
  all: readonly T[],
  limit: number,
  ground: MachineGround,
): T[] {
  if (all.length <= limit) return [...all];
  const sorted = [...all].sort((a, b) => a.from - b.from);
  const begun = sorted.filter(({ from }) => from < ground.image.offset).length;
  const first = Math.max(0, Math.min(begun - Math.floor(limit / 2), sorted.length - limit));
  return sorted.slice(first, first + limit);
}

interface Runs {
  readonly first: number;
  soFar: number;
  all: number;
}

/** Calls of MSHV_RUN_VP by VP. */
function runsByVp({ at }: MachineGround, exits: ExitIndex): ReadonlyMap<string, Runs> {
  const runs = new Map<string, Runs>();
  for (let number = 0; number < exits.count; number++) {
    const { vp, seq } = exits.exit(number);
    const known = runs.get(vp) ?? { first: seq, soFar: 0, all: 0 };
    runs.set(vp, known);
    known.all++;
    if (seq <= at.seq) known.soFar++;
  }
  return runs;
}

function partitionLife(
  ground: MachineGround,
  row: ObjectRow,
  runs: ReadonlyMap<string, Runs>,
): PartitionLife {
  const { history, image, at } = ground;
  const id = String(row.key);
  const vpRows = ground.objects.below(VP, row);
  const phases = phasesOf(ground, row, runs);
  const there = image.exists(row);
  return {
    id,
    phases: phases.map(({ phase, deed }) => ({ phase, deed })),
    phase: phases.findLast(({ reached }) => reached)?.phase ?? '',
    left: livesOf(history, row).at(-1)?.to === undefined,
    changed: changedAt(history, row, image, at),
    deposited: there ? numberIn(ground, row, PARTITION.slots.pool.deposited) : 0,
    used: there ? numberIn(ground, row, PARTITION.slots.pool.used) : 0,
    deposits: deposits(ground, row),
    vps: vpRows.flatMap((vp) => vpLives(ground, vp, `${id}.${vp.key}`, runs)),
  };
}

interface Phase {
  readonly phase: PartitionPhase;
  readonly deed: PartitionLife['phases'][number]['deed'];
  /** Place in the journal, by which phases are ordered. */
  readonly entry: number;
  /** At the cursor. */
  readonly reached: boolean;
}

/** Phases in the order in which they came. */
function phasesOf(ground: MachineGround, row: ObjectRow, runs: ReadonlyMap<string, Runs>): Phase[] {
  const { history, deeds, image, at } = ground;
  const phases: Phase[] = [];
  const reach = (phase: PartitionPhase, entry: number): void => {
    if (phases.some((known) => known.phase === phase)) return;
    phases.push({ phase, deed: deeds.ofEntry(history, entry), entry, reached: entry < image.offset });
  };
  const life = livesOf(history, row).at(0);
  if (life === undefined) return [];
  reach('created', life.from);
  for (const entry of history.writesOf(cellIn(row, PARTITION.slots.state))) {
    const state = PARTITION_STATES[Number(history.write(entry).now)];
    if (state === 'active') reach('initialized', entry);
    if (state === 'finalizing' || state === 'finalized') reach('finalized', entry);
  }
  const starts = [...runs].filter(([vp]) => vp.startsWith(`${row.key}.`)).map(([, { first }]) => first);
  if (starts.length > 0) {
    const seq = Math.min(...starts);
    const start = address(seq);
    // The call may write nothing itself: whether it was reached goes by its number.
    phases.push({
      phase: 'running',
      deed: deeds.of(start, 'vmm'),
      entry: history.offset(start) - 1,
      reached: seq <= at.seq,
    });
  }
  if (life.to !== undefined) reach('deleted', life.to);
  return phases.sort((a, b) => a.entry - b.entry);
}

function deposits({ history, deeds }: MachineGround, row: ObjectRow): DepositView[] {
  const entries = history.writesOf(cellIn(row, PARTITION.slots.pool.deposited));
  const views: DepositView[] = [];
  for (const entry of entries.subarray(-MAX_DEPOSITS)) {
    const { old, now } = history.write(entry);
    if (old !== now)
      views.push({ deed: deeds.ofEntry(history, entry), pages: Number(now - old), after: Number(now) });
  }
  return views;
}

function vpLives(
  ground: MachineGround,
  row: ObjectRow,
  vp: string,
  runs: ReadonlyMap<string, Runs>,
): VpLife[] {
  const { history, image, at, deeds } = ground;
  return livesOf(history, row).map((life) => {
    const now = standing(life, image);
    return {
      vp,
      created: deeds.ofEntry(history, life.from),
      ...(life.to === undefined ? {} : { deleted: deeds.ofEntry(history, life.to) }),
      now,
      held: now === 'there' ? heldBy(ground, row) : '',
      runsSoFar: runs.get(vp)?.soFar ?? 0,
      runs: runs.get(vp)?.all ?? 0,
      left: life.to === undefined,
      changed: changedAt(history, row, image, at),
    };
  });
}

function heldBy(ground: MachineGround, row: ObjectRow): VpLife['held'] {
  const { explicit, intercept } = VP.slots.suspend;
  if (numberIn(ground, row, explicit) === 1) return 'suspended';
  return numberIn(ground, row, intercept) === 1 ? 'stopped at an intercept' : 'runs';
}

function descriptorLife(ground: MachineGround, row: ObjectRow, life: Life): DescriptorLife {
  const { history, image, at, deeds } = ground;
  return {
    process: String(ground.objects.ownerOf(row)?.key ?? '?'),
    fd: String(row.key),
    handle: handleText(ground, row, life.from),
    opened: deeds.ofEntry(history, life.from),
    ...(life.to === undefined ? {} : { closed: deeds.ofEntry(history, life.to) }),
    now: standing(life, image),
    left: life.to === undefined,
    changed: changedAt(history, row, image, at),
  };
}

/** What a descriptor stood for: its cells are written once, right after it comes into being. */
function handleText({ history }: MachineGround, row: ObjectRow, from: number): string {
  const written = (slot: number): bigint => {
    const entries = history.writesOf(cellIn(row, slot));
    const entry = entries.find((candidate) => candidate > from);
    return entry === undefined ? 0n : history.write(entry).now;
  };
  const kind = FILE_KINDS[Number(written(FD.slots.handle))];
  switch (kind) {
    case 'device': {
      const open = written(FD.slots.open);
      return open <= 1n ? 'device' : `device:${open}`;
    }
    case 'vtl':
    case 'sint':
    case 'hvcall':
    case 'vtl-low':
      return `${kind}:${written(FD.slots.open)}`;
    case 'partition':
      return `partition:${written(FD.slots.partition)}`;
    case 'vp':
      return `vp:${written(FD.slots.partition)}.${written(FD.slots.vp)}`;
    default:
      return 'file';
  }
}
