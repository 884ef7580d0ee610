import { errnos, findIoctl, hypercalls, messageTypes, msrs, statuses } from '../../engine/abi/index.ts';
import { dialectOf } from '../../engine/trace/dialect.ts';
import type { Profile } from '../../engine/trace/profile.ts';
import type { NameSource } from './names.ts';

/** The names of the ABI for the views of a file. */
export function abiNames(profile: Profile): NameSource {
  return {
    ioctl: (dialect, handle, op) =>
      handle === 'eventfd' || handle === 'foreign'
        ? undefined
        : findIoctl(dialect ?? dialectOf(profile.kernel), handle, op)?.name,
    hypercall: (code) => hypercalls.find(code)?.name,
    msr: (address) => msrs.find(address)?.name,
    messageType: (type) => messageTypes.find(type)?.name,
    status: (status) => statuses.find(status)?.name,
    errno: (number) => errnos.find(number)?.name,
  };
}
