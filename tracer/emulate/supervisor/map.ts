import { ERRNO } from '../../native/numbers.ts';
import { type Call, type Host, stamp } from './host.ts';
import { mapRegisterPage } from './register-pages.ts';

/** mmap() of a file of the device: the engine says whether it has that page, the kernel maps the memfd's. */
export function map(host: Host, call: Call): void {
  const { process, tid, id, args } = call;
  const [, size, , , fd, offset] = args;
  const file = process.files.get(fd);
  if (file === undefined) {
    host.listener.proceed(id);
    return;
  }
  if (file.handle.kind === 'foreign') {
    host.listener.answer(id, -ERRNO.EBADF);
    return;
  }
  const result = host.live.feed({
    ...stamp(host, process, tid),
    kind: 'fd',
    what: 'mmap',
    fd,
    handle: file.handle,
    offset: BigInt(offset),
    size: BigInt(size),
  });
  const ret = result.returned.find(({ seq }) => seq === result.seq)?.ret ?? 0;
  if (ret < 0) {
    host.listener.answer(id, ret);
    return;
  }
  process.mapped = true;
  if (offset === 0) mapRegisterPage(host, file);
  host.listener.proceed(id);
}
