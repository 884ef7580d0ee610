import { emulationHere } from '../../../tracer/emulate/able.ts';
import type { Host } from './host.ts';
import { device } from './hypervisor.ts';
import type { Look } from './look.ts';
import { browser, electron, outputFolder, sqlite, versions } from './programs.ts';
import { kprobes, tracefs, tracePoints, uprobes } from './tracing-kernel.ts';
import { attaching, capabilities, launching } from './tracing-programs.ts';

/** Everything that `doctor` looks at; `folder` is where recordings would go. */
export function looksAt(host: Host, folder: string): readonly Look[] {
  return [
    versions(),
    sqlite(),
    outputFolder(folder),
    device(host),
    { what: 'emulation', ...emulationHere() },
    launching(host),
    attaching(host),
    tracefs(host),
    tracePoints(host),
    kprobes(host),
    uprobes(host),
    capabilities(host),
    electron(),
    browser(process.env),
  ];
}
