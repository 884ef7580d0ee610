import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { bundleOf } from './bundle.ts';
import { Host } from './host.ts';
import { device } from './hypervisor.ts';
import { outputFolder } from './programs.ts';
import { kprobes, tracefs, tracePoints, uprobes } from './tracing-kernel.ts';
import { attaching, launching } from './tracing-programs.ts';

const folders: string[] = [];
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

/** A machine made of these files. */
function machine(files: Readonly<Record<string, string | Buffer>>): Host {
  const root = mkdtempSync(join(tmpdir(), 'hvrewind-doctor-'));
  folders.push(root);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  return new Host(root, '6.12.0-test', 'linux', 'x64');
}

const SECCOMP = {
  '/proc/sys/kernel/seccomp/actions_avail': 'kill_process trap errno user_notif trace log allow\n',
};
const own = (capabilities: string, filters = 0): Readonly<Record<string, string>> => ({
  '/proc/self/status': `Name:\tx\nCapEff:\t${capabilities}\nSeccomp_filters:\t${filters}\n`,
});
const yama = (scope: number) => ({ '/proc/sys/kernel/yama/ptrace_scope': `${scope}\n` });
const ORDINARY = own('0000000000000000');
/** Bit 19 alone. */
const TRACER = own('0000000000080000');

describe('who may be recorded', () => {
  for (const [scope, self, launch, attach] of [
    [0, ORDINARY, true, true],
    [1, ORDINARY, true, false],
    [2, ORDINARY, false, false],
    [1, TRACER, true, true],
    [2, TRACER, true, true],
    [3, TRACER, false, false],
  ] as const) {
    test(`ptrace_scope ${scope}, ${self === TRACER ? 'CAP_SYS_PTRACE' : 'no capability'}`, () => {
      const host = machine({ ...SECCOMP, ...yama(scope), ...self });
      assert.equal(launching(host).ok, launch);
      assert.equal(attaching(host).ok, attach);
      for (const look of [launching(host), attaching(host)])
        assert.equal(look.remedy === undefined, look.ok, JSON.stringify(look));
    });
  }

  test('a kernel without Yama asks for nothing', () => {
    const host = machine({ ...SECCOMP, ...ORDINARY });
    assert.deepEqual([launching(host).ok, attaching(host).ok], [true, true]);
  });

  test('a filter of somebody else, or no seccomp, costs stops', () => {
    assert.match(launching(machine({ ...SECCOMP, ...own('0', 1) })).found, /somebody else/);
    assert.match(launching(machine(ORDINARY)).found, /each of its system calls/);
  });

  test('elsewhere than on Linux nobody', () => {
    const host = new Host('/', '24.0', 'darwin', 'arm64');
    assert.deepEqual([launching(host).ok, attaching(host).ok], [false, false]);
  });
});

const EVENTS = '/sys/kernel/tracing/events';
const TRACEFS = {
  '/proc/filesystems': 'nodev\ttracefs\n\text4\n',
  '/proc/self/mounts': 'tracefs /sys/kernel/tracing tracefs rw 0 0\n',
  '/sys/kernel/tracing/instances/.keep': '',
  [`${EVENTS}/msr/enable`]: '0',
  [`${EVENTS}/msr/read_msr/format`]: 'name: read_msr\n',
  [`${EVENTS}/msr/write_msr/format`]: 'name: write_msr\n',
  [`${EVENTS}/kvm/kvm_hv_hypercall/format`]: 'name: kvm_hv_hypercall\n',
  [`${EVENTS}/kvm/kvm_exit/format`]: 'name: kvm_exit\n',
};

describe('what the kernel shows', () => {
  test('tracefs: not in the kernel, not mounted, there', () => {
    assert.match(tracefs(machine({})).found, /CONFIG_FTRACE/);
    const unmounted = tracefs(machine({ '/proc/filesystems': TRACEFS['/proc/filesystems'] }));
    assert.deepEqual([unmounted.ok, unmounted.found], [false, 'not mounted']);
    assert.match(unmounted.remedy ?? '', /mount -t tracefs/);
    assert.equal(tracefs(machine(TRACEFS)).ok, true);
  });

  test('trace points are those that are recorded, and what is not seen without the others is said', () => {
    const [here, ...lacks] = tracePoints(machine(TRACEFS)).found.split('; ');
    assert.equal(here, 'msr (2), kvm (1)');
    assert.equal(lacks.length, 2);
    assert.match(lacks[0] ?? '', /^lacks mshv:\*: what the mshv driver does is not seen/);
    assert.match(lacks[1] ?? '', /^lacks kvm: without kvm_msr, /);
    assert.equal(tracePoints(machine({})).ok, false);
  });

  test('kprobes need the files and one of the functions', () => {
    const probed = { ...TRACEFS, '/sys/kernel/tracing/kprobe_events': '' };
    assert.match(kprobes(machine(TRACEFS)).found, /no kprobes/);
    assert.match(kprobes(machine(probed)).found, /not shown/);
    const symbols = (name: string) => ({ ...probed, '/proc/kallsyms': `0000000000000000 T ${name}\n` });
    assert.equal(kprobes(machine(symbols('vfs_read'))).ok, false);
    const look = kprobes(machine(symbols('hv_set_non_nested_msr')));
    assert.deepEqual([look.ok, look.found], [true, 'hv_set_non_nested_msr']);
  });

  test('uprobes need their file', () => {
    assert.equal(uprobes(machine(TRACEFS)).ok, false);
    assert.equal(uprobes(machine({ ...TRACEFS, '/sys/kernel/tracing/uprobe_events': '' })).ok, true);
  });
});

test('why there is no /dev/mshv', () => {
  assert.match(device(machine({})).found, /runs on no hypervisor/);
  const cpu = { '/proc/cpuinfo': 'flags\t\t: fpu hypervisor\n' };
  assert.match(device(machine(cpu)).found, /is not root on it/);
  assert.match(
    device(machine({ ...cpu, '/proc/modules': 'mshv_root 1 0 - Live 0x0\n' })).found,
    /refused it/,
  );
  assert.match(device(machine({ ...cpu, '/sys/bus/vmbus/devices/a/id': '' })).found, /a guest of/);
  assert.match(device(machine({ '/dev/mshv': '' })).found, /it is no device/);
});

test('the folder for recordings', () => {
  assert.equal(outputFolder('/nowhere/at/all').ok, false);
  assert.match(outputFolder(tmpdir()).found, /MB free$/);
});

test('a bundle holds what it lists, and nothing that names the machine or its user', () => {
  const secrets = {
    host: 'Tau-Ceti.example.org',
    user: 'hildegard',
    home: '/home/hildegard',
    folders: ['/home/hildegard/secret-project'],
  };
  const host = machine({
    ...TRACEFS,
    '/proc/cmdline':
      'BOOT_IMAGE=/vmlinuz-tau-ceti root=UUID=1234-5678 hostname=tau-ceti hv_nopvspin console=ttyS0 ' +
      'kvm.ignore_msrs=1 crashkernel=secret/of%hildegard api_key=abcdef tp_printk\n',
    '/proc/config.gz': gzipSync(
      'CONFIG_HYPERV=m\n# CONFIG_KPROBES is not set\nCONFIG_LOCALVERSION="-hildegard"\nCONFIG_HYPERV_NAME="x"\n',
    ),
    '/proc/modules': 'hv_vmbus 1 0 - Live 0x0\ntau_ceti_secret 1 0 - Live 0x0\n',
    '/proc/kallsyms': 'ffffffff81111111 T hv_set_msr\nffffffff82222222 T secret_function\n',
    '/proc/cpuinfo': 'processor\t: 0\nvendor_id\t: GenuineIntel\nflags\t\t: hypervisor\n',
  });
  const looks = [
    { what: 'folder', found: '/home/hildegard/secret-project/traces on TAU-CETI, of Hildegard' },
  ];
  const bundle = bundleOf(host, looks, secrets);
  const { contents } = bundle.about as { readonly contents: Readonly<Record<string, string>> };
  assert.deepEqual(Object.keys(bundle).toSorted(), ['about', ...Object.keys(contents)].toSorted());
  const text = JSON.stringify(bundle).toLowerCase();
  for (const secret of [
    'tau-ceti',
    'tau_ceti',
    'hildegard',
    'secret',
    '1234',
    'abcdef',
    'ffffffff8',
    'vmlinuz',
  ])
    assert.ok(!text.includes(secret), secret);
  assert.deepEqual(bundle.looks, [{ what: 'folder', found: '<folder>/traces on <host>, of <user>' }]);
  assert.deepEqual(bundle.commandLine, [
    'hv_nopvspin',
    'kvm.ignore_msrs=1',
    'crashkernel=<not shown>',
    'tp_printk',
  ]);
  assert.deepEqual(bundle.config, ['CONFIG_HYPERV=m', '# CONFIG_KPROBES is not set']);
  assert.deepEqual(bundle.modules, ['hv_vmbus']);
  assert.deepEqual(bundle.symbols, ['hv_set_msr']);
  assert.deepEqual(Object.keys(bundle.formats as object), [
    'msr:read_msr',
    'msr:write_msr',
    'kvm:kvm_hv_hypercall',
  ]);
});
