import type { Host } from './host.ts';
import type { Look } from './look.ts';

/** /dev/mshv: mode 0600 of root as the kernel makes it (Linux 7.2 drivers/hv/mshv_root_main.c, a misc device). */
export function device(host: Host): Look {
  const what = 'Microsoft hypervisor';
  const status = host.status('/dev/mshv');
  if (status === undefined)
    return { what, ok: false, found: `no /dev/mshv: ${withoutDevice(host)}`, remedy: 'emulate needs none' };
  const mode = (status.mode & 0o777).toString(8).padStart(4, '0');
  const found = `/dev/mshv, mode ${mode}, user ${status.uid}, group ${status.gid}`;
  if (!status.isCharacterDevice()) return { what, ok: false, found: `${found}: it is no device` };
  if (host.canRead('/dev/mshv') && host.canWrite('/dev/mshv')) return { what, ok: true, found };
  const remedy =
    'the program that is recorded needs it, hvrewind does not: sudo setfacl -m u:$USER:rw /dev/mshv, or run both as root';
  return { what, ok: false, found, remedy };
}

function withoutDevice(host: Host): string {
  if (!/^flags\s*:.*\bhypervisor\b/m.test(host.read('/proc/cpuinfo')))
    return 'this machine runs on no hypervisor';
  if (host.names('/sys/bus/vmbus/devices').length > 0)
    return 'this is a guest of the Microsoft hypervisor, not its root or an L1VH partition';
  return /^mshv_root /m.test(host.read('/proc/modules'))
    ? 'mshv_root is loaded, and the hypervisor refused it'
    : 'the kernel is not root on it, or mshv_root is not loaded';
}
