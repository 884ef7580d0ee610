import { CAPABILITY_NAMES, type Host } from './host.ts';
import type { Look } from './look.ts';

/** Yama (Documentation/admin-guide/LSM/Yama.rst): 0 own programs, 1 own children, 2 with the capability, 3 nobody. */
const YAMA = { children: 1, capable: 2, nobody: 3 } as const;

const GRANT =
  'grant Node the capability (sudo setcap cap_sys_ptrace+ep on a copy of it), or run hvrewind as root';

/** Recording of a program that hvrewind starts: ptrace of an own child, and a filter that stops it at ioctls alone. */
export function launching(host: Host): Look {
  const what = 'record a program from its start';
  const unable = tracingUnable(host);
  if (unable !== undefined) return { what, ok: false, ...unable };
  const yama = host.setting('kernel/yama/ptrace_scope') ?? 0;
  if (yama >= YAMA.capable && !host.has('CAP_SYS_PTRACE'))
    return {
      what,
      ok: false,
      found: `kernel.yama.ptrace_scope is ${yama}: not even own children`,
      remedy: `sudo sysctl kernel.yama.ptrace_scope=${YAMA.children}, or ${GRANT}`,
    };
  if (!host.read('/proc/sys/kernel/seccomp/actions_avail').split(/\s+/).includes('trace'))
    return { what, ok: true, found: 'without seccomp: the program stops at each of its system calls' };
  if ((host.ownStatus('Seccomp_filters') ?? 0) > 0)
    return {
      what,
      ok: true,
      found: 'under a filter of somebody else (a container): it may have to stop at each system call',
    };
  return { what, ok: true, found: 'no privilege needed; nothing but ioctls and descriptors is slowed' };
}

/** Recording of a program that runs already. */
export function attaching(host: Host): Look {
  const what = 'record a running program';
  const unable = tracingUnable(host);
  if (unable !== undefined) return { what, ok: false, ...unable };
  const yama = host.setting('kernel/yama/ptrace_scope') ?? 0;
  if (host.has('CAP_SYS_PTRACE')) return { what, ok: true, found: 'any program (CAP_SYS_PTRACE)' };
  if (yama === 0) return { what, ok: true, found: 'programs of this user' };
  return {
    what,
    ok: false,
    found: `kernel.yama.ptrace_scope is ${yama} and CAP_SYS_PTRACE is missing`,
    remedy: `sudo sysctl kernel.yama.ptrace_scope=0, or ${GRANT}`,
  };
}

/** What of the capabilities that recording can use this process has. */
export function capabilities(host: Host): Look {
  const held = CAPABILITY_NAMES.filter((name) => host.has(name));
  const found = held.length === 0 ? 'none of those that recording can use' : held.join(', ');
  return { what: 'capabilities', found };
}

function tracingUnable(host: Host): Pick<Look, 'found' | 'remedy'> | undefined {
  if (!host.isLinux || !host.isX64)
    return { found: 'not Linux on x86-64', remedy: 'record there, and open the trace here' };
  if ((host.setting('kernel/yama/ptrace_scope') ?? 0) >= YAMA.nobody)
    return {
      found: `kernel.yama.ptrace_scope is ${YAMA.nobody}: nobody may trace, until the next boot`,
      remedy: 'boot with another value; uprobes need no ptrace',
    };
  return undefined;
}
