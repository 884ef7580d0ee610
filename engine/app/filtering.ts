import { type Completion, complete } from '../filter/complete.ts';
import type { FilterError } from '../filter/error.ts';
import { eventAccess } from '../filter/event-access.ts';
import { eventFields } from '../filter/fields.ts';
import { readFilter } from '../filter/filter.ts';
import type { Plan } from '../filter/plan.ts';
import { compilePredicate } from '../filter/predicate.ts';
import type { FieldTable } from '../filter/table.ts';
import { RULES } from '../rules/catalogue.ts';
import type { Finding } from '../rules/finding.ts';
import { dialectOf } from '../trace/dialect.ts';
import { type Address, formatAddress } from '../trace/position.ts';
import type { Profile } from '../trace/profile.ts';
import type { StateExplorer } from './cells.ts';
import type { Listed } from './lists.ts';

/** A filter that was read and checked, not yet bound to a trace. */
export interface ReadyFilter {
  /** It asks what only a replay tells: changes of cells, rules with findings. */
  readonly needsReplay: boolean;
  readonly plan: Plan;
}

/** What a filter may ask of the trace around an event; without a replay nothing changes and nothing is found. */
export interface FilterGround {
  readonly profile: Profile;
  parentOf(address: Address): Address | undefined;
  readonly state?: StateExplorer;
  readonly findings?: readonly Finding[];
}

/** Reads a filter over the events of a trace. */
export function readEventFilter(
  text: string,
  profile: Profile,
): ReadyFilter | { readonly problem: FilterError } {
  const read = readFilter(text, fieldsFor(profile));
  if (!read.ok) return { problem: read.error };
  return { plan: read.value.plan, needsReplay: asksReplay(read.value.plan) };
}

/** The filter as a test of events. */
export function bindFilter(filter: ReadyFilter, ground: FilterGround): (listed: Listed) => boolean {
  const rules = rulesByPosition(ground.findings ?? []);
  const access = eventAccess<Listed>({
    dialect: dialectOf(ground.profile.kernel),
    eventOf: (listed) => listed.event,
    addressOf: (listed) => listed.address,
    parentOf: ground.parentOf,
    rulesOf: (address) => rules.get(formatAddress(address)) ?? [],
    changes: (path) => changesOf(path, ground.state),
  });
  return compilePredicate(filter.plan, access);
}

/** What can stand at the cursor of a filter. */
export function completeFilter(text: string, cursor: number, profile: Profile): Completion {
  return complete(text, cursor, fieldsFor(profile));
}

function fieldsFor(profile: Profile): FieldTable {
  return eventFields({
    dialect: dialectOf(profile.kernel),
    replayed: true,
    components: ['vmbus', 'mshv', 'timer', 'arch', 'guest', 'vmm', 'hypervisor', 'unknown'],
    rules: RULES.map((rule) => rule.id),
    paths: ['cpu[*].synic', 'cpu[*].synic.scontrol', 'partition[*].state'],
  });
}

function asksReplay(plan: Plan): boolean {
  if (plan.kind === 'and' || plan.kind === 'or') return plan.terms.some(asksReplay);
  return plan.kind === 'changes' || (plan.kind === 'field' && plan.field === 'rule');
}

function rulesByPosition(findings: readonly Finding[]): Map<string, string[]> {
  const rules = new Map<string, string[]>();
  for (const { rule, at, culprit, evidence } of findings) {
    for (const place of new Set([at, culprit.at, ...evidence].map(formatAddress))) {
      rules.set(place, [...(rules.get(place) ?? []), rule]);
    }
  }
  return rules;
}

/** Events that wrote a value other than the old one to a cell of the path (creation counts). */
function changesOf(path: string, state: StateExplorer | undefined): (listed: Listed) => boolean {
  const writers = new Set<string>();
  for (const cell of state?.paths.find(path) ?? []) {
    for (const entry of state?.history.writesOf(cell) ?? []) {
      const write = state?.history.write(entry);
      if (write === undefined || (write.oldKnown && write.old === write.now)) continue;
      writers.add(formatAddress(write.at));
    }
  }
  return (listed) => writers.has(formatAddress(listed.address));
}
