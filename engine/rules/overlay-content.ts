import { fieldOf, readU32 } from '../abi/index.ts';
import type { MessageEvent, PageEvent } from '../trace/event.ts';
import type { VpRef } from '../trace/handle.ts';
import type { Moment, OpenFinding } from './open-finding.ts';
import { OpenFindings } from './open-findings.ts';
import type { Judge, RuleInput } from './rule.ts';
import { PAGE_KINDS, type PageRegister, pageRegister } from './track/page-registers.ts';
import { PAGES } from './track/page-tracker.ts';
import type { Page, PageWrite } from './track/pages.ts';
import type { Deed } from './track/synic.ts';
import { SINT_COUNT } from './track/synic-registers.ts';

const ASSIST = pageRegister('VP_ASSIST_PAGE');
const SIMP = pageRegister('SIMP');
const SIEFP = pageRegister('SIEFP');
/** In SIMP a message, in SIEFP the event flags of a SINT (TLFS, SIM page and SIEF page). */
const AREA_BYTES = 256;
/** Bit 0 of the first byte of an assist page: no EOI is needed (TLFS, VP assist page). */
const NO_EOI = 1;
const SLOT_TYPE = fieldOf('hv_message', 'header.message_type');
/** Who acts for a guest from outside. */
const HOSTS: ReadonlySet<string> = new Set(['vmm', 'hypervisor', 'mshv']);
/** Pages that are remembered at a time. */
const MAX_PAGES = 8192;

/** What is known of the content of a page: the areas of its SINTs that hold something. */
interface Known {
  readonly page: Page;
  readonly filled: Map<number, Moment>;
  /** Who enabled it from outside since then. */
  enabled: Deed | undefined;
}

/** The part of R23 about what is in a page: it stays there when the page is enabled, and what is beneath shows when it is not. */
export function judgeOverlayContent(rule: string, input: RuleInput): Judge {
  const pages = input.tracker(PAGES);
  const known = new Map<Page, Known>();
  /** Assist pages, by the page: when the memory beneath was seen to say that no EOI is needed. */
  const stale = new Map<Page, { readonly frame: bigint | undefined; readonly seen: Moment }>();
  const findings = new OpenFindings(rule, input);

  function found(
    how: 'wiped' | 'stale',
    page: Page,
    culprit: Moment,
    component: string,
    shown?: Moment,
  ): OpenFinding {
    const cause = [component, how];
    const { vp, cpu } = page.owner;
    const about = { ...vp, ...(shown === undefined ? {} : { shown }) };
    const finding = findings.of({ cause, severity: 'error', component, culprit, ...about });
    finding.concerns(page.cell, vp === undefined ? cpu : undefined);
    return finding;
  }

  function pageOf({ page: kind, vp, cpu, vtl }: PageEvent): Page | undefined {
    const register = PAGE_KINDS.get(kind);
    const processor = vp === undefined ? cpu : vp.vp;
    if (register === undefined || processor === undefined) return undefined;
    return pages.partitionOf({ vp, vtl })?.setOf(register, processor).get(register);
  }

  function memory(event: PageEvent): void {
    const page = event.what === 'free' ? undefined : pageOf(event);
    if (page === undefined || event.bytes === undefined) return;
    if (page.register === ASSIST) beneath(page, event);
    else if (page.register === SIMP || page.register === SIEFP) content(page, event);
  }

  /** While no overlay hides it an assist page is plain memory. */
  function beneath(page: Page, { bytes = [], gpa }: PageEvent): void {
    const first = bytes.find(({ offset }) => offset === 0)?.bytes[0];
    if (page.on === true || first === undefined) return;
    if ((first & NO_EOI) === 0) stale.delete(page);
    else if (stale.size < MAX_PAGES) {
      stale.set(page, { frame: gpa === undefined ? undefined : gpa >> 12n, seen: input.now() });
    }
  }

  function content(page: Page, { what, bytes = [] }: PageEvent): void {
    for (let area = 0; area < SINT_COUNT; area++) {
      const isFilled = filledIn(bytes, area);
      if (isFilled !== undefined) seen(page, area, isFilled, what === 'snapshot');
    }
  }

  /** Somebody looked at an area, or wrote it. */
  function seen(page: Page, area: number, isFilled: boolean, isLook: boolean): void {
    const now: Known = known.get(page) ?? { page, filled: new Map(), enabled: undefined };
    const since = now.filled.get(area);
    if (isFilled) now.filled.set(area, since ?? input.now());
    else {
      now.filled.delete(area);
      if (since !== undefined && now.enabled !== undefined && isLook) {
        found('wiped', page, now.enabled.moment, 'hypervisor', input.now()).prove(since);
      }
    }
    if (now.filled.size === 0) known.delete(page);
    else if (known.size < MAX_PAGES) known.set(page, now);
  }

  /** A slot as its reader found it. */
  function read({ slot, vp, vtl, cpu, sint }: MessageEvent): void {
    const processor = vp === undefined ? cpu : vp.vp;
    if (slot === undefined || slot.length < SLOT_TYPE.size || processor === undefined || sint >= SINT_COUNT)
      return;
    const page = pages.partitionOf({ vp, vtl })?.of(processor).find(SIMP);
    if (page !== undefined && known.has(page)) seen(page, sint, readU32(slot, SLOT_TYPE) !== 0, true);
  }

  function written({ page, before, deed, byParent }: PageWrite): void {
    const now = known.get(page);
    if (now !== undefined && page.on === true) {
      // A guest’s own enable may find an empty page.
      if (byParent || HOSTS.has(deed.component)) now.enabled ??= deed;
      else known.delete(page);
    }
    const old =
      page.register === ASSIST && page.on === false && before.on === true ? stale.get(page) : undefined;
    if (old === undefined || (old.frame !== undefined && old.frame !== before.frame)) return;
    const who = before.by?.component ?? deed.component;
    const finding = found('stale', page, deed.moment, who);
    finding.prove(old.seen);
    pages.blame(page, finding);
  }

  /** Who took a message out, or a guest that ran, may have emptied it. */
  function emptied(
    register: PageRegister | undefined,
    vp: VpRef | undefined,
    cpu: number | undefined,
    sint?: number,
  ): void {
    for (const { page, filled } of known.values()) {
      const { owner } = page;
      const isIts =
        owner.vp === undefined
          ? vp === undefined && owner.cpu === cpu
          : owner.vp.partition === vp?.partition && owner.vp.vp === vp.vp;
      if (!isIts || (register !== undefined && page.register !== register)) continue;
      if (sint === undefined) filled.clear();
      else filled.delete(sint);
    }
  }

  return {
    step({ event }) {
      if (event.kind === 'page') memory(event);
      else if (event.kind === 'message') {
        if (event.what === 'clear') emptied(SIMP, event.vp, event.cpu, event.sint);
        else if (event.what === 'read') read(event);
      } else if (event.kind === 'intercept') emptied(undefined, event.vp, undefined);
      else for (const write of pages.writes) written(write);
    },
    end() {
      for (const finding of findings.all()) {
        const { component, cause } = finding.root;
        const [title, fix] =
          cause[1] === 'wiped'
            ? [
                'enabling a page that is restored empties it',
                'let an enable write that restores a page keep its content, or restore the content after it',
              ]
            : [
                'the memory beneath an assist page says that no EOI is needed',
                `let ${component} clear the page before it enables VP_ASSIST_PAGE`,
              ];
        input.report(finding.close(title, fix));
      }
    },
  };
}

/** Whether an area holds anything; undefined where the bytes do not tell: for that a filled one needs a byte, an empty one its first. */
function filledIn(bytes: NonNullable<PageEvent['bytes']>, area: number): boolean | undefined {
  const [from, to] = [area * AREA_BYTES, (area + 1) * AREA_BYTES];
  let start: boolean | undefined;
  for (const part of bytes) {
    const first = Math.max(from, part.offset);
    const last = Math.min(to, part.offset + part.bytes.length);
    for (let at = first; at < last; at++) if (part.bytes[at - part.offset] !== 0) return true;
    if (part.offset <= from && last > from) start = false;
  }
  return start;
}
