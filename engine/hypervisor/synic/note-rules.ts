import type { MessageEvent } from '../../trace/event.ts';

/** The rule by which a message comes into its slot, waits, is lost, is announced or taken out. */
export function ruleOfMessage({ what, component }: Pick<MessageEvent, 'what' | 'component'>): string {
  switch (what) {
    case 'deliver':
      return 'TLFS.message.deliver';
    case 'busy':
      return 'TLFS.message.busy';
    case 'drop':
      return 'TLFS.message.drop';
    case 'interrupt':
      return 'TLFS.message.interrupt';
    case 'event':
      return 'TLFS2013.event.flag';
    case 'read':
    case 'clear':
      if (component === 'mshv') return 'Linux.mshv.isr';
      return component === 'vmbus' ? 'Linux.vmbus.isr' : 'TLFS.message.free';
  }
}
