import { fieldOf, msrs, readU32 } from '../abi/index.ts';
import { CaseBook, type Words } from './case-book.ts';
import type { Rule } from './rule.ts';

const TIMERS = 4;
/** Each timer has two registers in a row: configuration, count. */
const STRIDE = 2;
const CONFIGS = Array.from({ length: TIMERS }, (_, i) => msrs.number('STIMER0_CONFIG') + i * STRIDE);
const CONFIG = (name: string) => fieldOf('hv_stimer_config', name);
const ENABLE = CONFIG('enable');
const AUTO_ENABLE = CONFIG('auto_enable');
const DIRECT = CONFIG('direct_mode');
const VECTOR = CONFIG('apic_vector');
const SINT = CONFIG('sintx');
/** Vectors below are of the processor's own exceptions (TLFS, SINTx and STIMERx_CONFIG). */
const FIRST_VECTOR = 16;

/** R46: a timer that is switched on can tell that it has expired. */
export const unusableTimer: Rule = {
  id: 'R46',
  severity: 'error',
  title: 'A synthetic timer is switched on that has no way to tell that it expired',
  meaning:
    'A timer tells that it has expired by a message to the SINT in its configuration, or in direct mode by an interrupt with the ' +
    'vector in it. SINT 0 is none: the hypervisor takes the enable bit back and the timer never expires. Nor is a vector ' +
    'below 16, which are those of exceptions. Whoever waits for that timer waits for ever.',
  silent: [
    'A timer that is not switched on, neither now nor by its next count (auto_enable).',
    'SINT 0 in direct mode, which sends no message; any vector in a configuration that sends messages.',
    'A write that is refused (#GP): its writer knows.',
  ],
  source:
    'TLFS, Synthetic timers (STIMERx_CONFIG); Linux arch/x86/kvm/hyperv.c (stimer_set_config); Linux 7.2 drivers/clocksource/hyperv_timer.c',
  watches: [{ kind: 'msr', msrs: CONFIGS }],
  needs: ['msr'],
  judge(input) {
    const cases = new CaseBook(unusableTimer.id, input);
    const bytes = new Uint8Array(8);
    const view = new DataView(bytes.buffer);
    return {
      step({ event }) {
        if (
          event.kind !== 'msr' ||
          event.dir !== 'write' ||
          event.value === undefined ||
          event.fault === true
        )
          return;
        view.setBigUint64(0, event.value, true);
        if (readU32(bytes, ENABLE) === 0 && readU32(bytes, AUTO_ENABLE) === 0) return;
        const isDirect = readU32(bytes, DIRECT) !== 0;
        if (isDirect ? readU32(bytes, VECTOR) >= FIRST_VECTOR : readU32(bytes, SINT) !== 0) return;
        const component = event.component ?? (event.vp === undefined ? 'unknown' : 'guest');
        if (component === 'unknown') return;
        const timer = CONFIGS.indexOf(event.msr as (typeof CONFIGS)[number]);
        const cause = [component, isDirect ? 'vector' : 'sint'];
        const finding = cases.open(
          { cause, severity: 'error', component, culprit: input.now() },
          words(component, isDirect),
        );
        const { vp, cpu } = event;
        const owner = vp === undefined ? `cpu[${cpu ?? 0}]` : `partition[${vp.partition}].vp[${vp.vp}]`;
        if (finding.concerns(`${owner}.synic.timer[${timer}].config`, vp === undefined ? cpu : undefined))
          finding.prove(input.now());
      },
      end: () => cases.report(),
    };
  },
};

function words(component: string, isDirect: boolean): Words {
  return isDirect
    ? {
        title: `${component} switches a timer on in direct mode with a vector below ${FIRST_VECTOR}`,
        fix: `let ${component} give the timer a vector of its own, ${FIRST_VECTOR} or above`,
      }
    : {
        title: `${component} switches a timer on that sends its messages to SINT 0, which is none`,
        fix: `let ${component} write a SINT other than 0 into the configuration, or use direct mode`,
      };
}
