import type { Finding } from '../../rules/finding.ts';
import { CellPaths } from '../../state/path.ts';
import type { TraceEvent } from '../../trace/event.ts';
import { failed } from '../../trace/failed.ts';
import { type Address, compareAddresses, formatAddress, RETURN_SUB } from '../../trace/position.ts';
import {
  KERNELS,
  REBOOT_NOTIFIERS,
  RESERVED_BITS,
  SYNIC_OWNERSHIPS,
  SYNIC_POLICIES,
  VMBUS_UNLOADS,
} from '../../trace/profile.ts';
import { formatEvent, textContext } from '../../trace/text/index.ts';
import { corrections, eventOf, redirected } from './corrections.ts';
import type { Edit } from './edit.ts';
import type { Original } from './original.ts';

/** Events of the proof that are tried, from the culprit on: the last say most of what came of it. */
const MAX_PLACES = 24;
/** Registers that one suggestion switches off. */
const MAX_UNDONE = 12;
/** Bit of a SINT that masks it, and that which enables any other of the registers (TLFS, SynIC; Overlay pages). */
const SINT_MASKED = 1n << 16n;
const ENABLE = 1n;
/** HV_X64_MSR_SINT0 */
const SINT0 = 0x4000_0090;

/**
 * Single edits, those first that somebody would make in the code: what the culprit gave is put right; it comes before or after
 * what another component did; a step that left registers on switches them off; it is left out, or done to another partition. Then
 * those that may merely hide the mistake: another order within one component, and other events of the proof. What reported
 * an error is left out last of all.
 */
export function* candidates(original: Original, finding: Finding): Iterable<readonly Edit[]> {
  const culprit = entry(finding.culprit.at);
  const { component } = finding.culprit;
  const proof = finding.evidence.map(entry).filter((at) => compareAddresses(at, culprit) !== 0);
  const isOwn = (at: Address): boolean => eventOf(original, at)?.component === component;
  yield* alone(corrections(original, culprit, proof));
  yield* movedPast(
    original,
    culprit,
    proof.filter((at) => !isOwn(at) && isDeed(original, at)),
  );
  yield* undone(original, finding, culprit);
  yield* dropped(original, culprit);
  yield* alone(redirected(original, culprit, proof));
  yield* movedPast(original, culprit, proof.filter(isOwn));
  const own = proof.filter(isOwn).slice(0, MAX_PLACES);
  for (const at of own) yield* alone(corrections(original, at, proof));
  for (const at of own.filter((each) => isDeed(original, each))) yield* dropped(original, at);
  for (const at of own.filter((each) => !isDeed(original, each))) yield* dropped(original, at);
}

/**
 * What a kernel or a VMM did, as against what shows a mistake: an error, a look at a page, what the guest met. To be before it
 * happens hides a mistake and ends none.
 */
function isDeed(original: Original, at: Address): boolean {
  const event = eventOf(original, at);
  if (event === undefined || failed(event) || event.component === 'guest') return false;
  return event.kind !== 'page' && event.kind !== 'intercept' && event.kind !== 'mark';
}

/** The culprit beside events of the proof, or the step that it is part of: itself first, the outermost that is no stimulus last. */
function* movedPast(
  original: Original,
  culprit: Address,
  proof: readonly Address[],
): Iterable<readonly Edit[]> {
  const later = proof.filter((at) => compareAddresses(at, culprit) > 0).reverse();
  const earlier = proof.filter((at) => compareAddresses(at, culprit) < 0);
  for (const at of [culprit, ...parents(original, culprit)]) {
    for (const to of later.slice(0, MAX_PLACES)) yield* alone(moves(original, at, 'after', to));
    for (const to of earlier.slice(0, MAX_PLACES)) yield* alone(moves(original, at, 'before', to));
  }
}

function* alone(edits: Iterable<Edit>): Iterable<readonly Edit[]> {
  for (const edit of edits) yield [edit];
}

/** A step of a life cycle is no mistake: what it lacks is. */
function* dropped(original: Original, at: Address): Iterable<readonly Edit[]> {
  if (eventOf(original, at)?.kind !== 'lifecycle') yield [{ what: 'drop', at }];
}

/** Where a step of a life cycle left registers as they were: writes before it that switch them off, all that the finding is about. */
function* undone(original: Original, finding: Finding, culprit: Address): Iterable<readonly Edit[]> {
  const { history, archive } = original;
  const step = archive.step(culprit);
  if (step?.event.kind !== 'lifecycle') return;
  const paths = new CellPaths(history.tables.objects);
  const edits: Edit[] = [];
  for (const path of finding.cells) {
    const cell = paths.find(path)?.find((each) => paths.path(each) === path);
    const write = cell === undefined ? undefined : history.lastWrite(cell, step.from);
    const by = write === undefined ? undefined : eventOf(original, write.at);
    if (by?.kind !== 'msr' || by.dir !== 'write' || write === undefined) return;
    const { kind, dir, msr, seq, t } = by;
    const { component = finding.culprit.component, cpu } = by;
    const value = isSint(msr) ? write.now | SINT_MASKED : write.now & ~ENABLE;
    const off: TraceEvent = {
      kind,
      dir,
      msr,
      seq,
      t,
      component,
      value,
      provenance: 'authored',
      ...(cpu === undefined ? {} : { cpu }),
    };
    const line = formatEvent(off, textContext(original.source.header.profile));
    edits.push({ what: 'insert', where: 'before', to: culprit, line: line.replace(/^\{"t":"?[^,]*,/, '{') });
  }
  if (edits.length > 0 && edits.length <= MAX_UNDONE) yield edits;
}

function isSint(msr: number): boolean {
  return msr >= SINT0 && msr < SINT0 + 16;
}

/** The edit that does to the event at `at` what `edit` did to another one. */
export function moreOf(original: Original, edit: Edit, at: Address): Edit | undefined {
  if (edit.what === 'drop') return { what: 'drop', at: entry(at) };
  for (const other of corrections(original, entry(at), [])) if (other.what === edit.what) return other;
  return undefined;
}

/** Other kernels and other hypervisors, one parameter at a time. */
export function* profileSwitches({ source }: Original): Iterable<Edit> {
  const { profile } = source.header;
  const choices: readonly (readonly [string, string, readonly string[]])[] = [
    ['synicOwnership', profile.synicOwnership, [...SYNIC_OWNERSHIPS].reverse()],
    ['rebootNotifier', profile.rebootNotifier, REBOOT_NOTIFIERS],
    ['vmbusUnload', profile.vmbusUnload, VMBUS_UNLOADS],
    ['kernel', profile.kernel, KERNELS.filter((kernel) => kernel !== 'unknown')],
    ['synicPolicy', profile.synicPolicy, SYNIC_POLICIES],
    ['reservedBits', profile.reservedBits, RESERVED_BITS],
  ];
  // Of such a trace the kernel's side is not played: its parameters change nothing.
  if (profile.kernel === 'unknown') return;
  for (const [key, now, values] of choices) {
    for (const value of values) if (value !== now) yield { what: 'profile', text: `${key}=${value}` };
  }
}

/** A move to beside `to`, or to beside the step that `to` is part of and the event is not. */
function* moves(original: Original, at: Address, where: 'before' | 'after', to: Address): Iterable<Edit> {
  const event = eventOf(original, at);
  if (event === undefined || event.kind === 'ioctl' || event.kind === 'fd') return;
  if (event.kind === 'lifecycle' && (event.phase === 'end' || event.parent === undefined)) return;
  const around = new Set([at, ...parents(original, at)].map(formatAddress));
  const parent = parents(original, at)[0];
  const chain = [to, ...parents(original, to)];
  const sibling = chain.find((each) => {
    const above = parents(original, each)[0];
    return above !== undefined && parent !== undefined && compareAddresses(above, parent) === 0;
  });
  // Beside another event of the same step: what belongs together stays together.
  if (sibling !== undefined && !around.has(formatAddress(sibling)))
    yield { what: 'move', at, where, to: sibling };
  else if (parent === undefined && chain.every((each) => !around.has(formatAddress(each)))) {
    yield { what: 'move', at, where, to: chain.at(-1) as Address };
  }
}

/** What an event happened below, the nearest first. */
function parents({ archive }: Original, at: Address): Address[] {
  const found: Address[] = [];
  for (let above = archive.step(at)?.parent; above !== undefined; above = archive.step(above)?.parent) {
    found.push(above);
  }
  return found;
}

/** The call of a return. */
function entry(at: Address): Address {
  return at.sub === RETURN_SUB ? { ...at, sub: 0 } : at;
}
