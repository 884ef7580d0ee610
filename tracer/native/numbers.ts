/** Numbers of the Linux x86-64 system call interface that emulation and recording use. */

/** System calls (Linux arch/x86/entry/syscalls/syscall_64.tbl). */
export const NR = {
  read: 0,
  write: 1,
  open: 2,
  close: 3,
  stat: 4,
  fstat: 5,
  lstat: 6,
  lseek: 8,
  mmap: 9,
  mprotect: 10,
  munmap: 11,
  mincore: 27,
  madvise: 28,
  ioctl: 16,
  pread64: 17,
  pwrite64: 18,
  readv: 19,
  writev: 20,
  access: 21,
  dup: 32,
  dup2: 33,
  clone: 56,
  fork: 57,
  vfork: 58,
  execve: 59,
  wait4: 61,
  fcntl: 72,
  ftruncate: 77,
  getrusage: 98,
  tkill: 200,
  tgkill: 234,
  creat: 85,
  ptrace: 101,
  prctl: 157,
  epoll_wait: 232,
  openat: 257,
  newfstatat: 262,
  faccessat: 269,
  ppoll: 271,
  eventfd2: 290,
  epoll_pwait: 281,
  dup3: 292,
  prlimit64: 302,
  pipe2: 293,
  rt_tgsigqueueinfo: 297,
  process_vm_readv: 310,
  process_vm_writev: 311,
  kcmp: 312,
  seccomp: 317,
  memfd_create: 319,
  statx: 332,
  execveat: 322,
  preadv2: 327,
  io_uring_setup: 425,
  io_uring_enter: 426,
  io_uring_register: 427,
  pidfd_open: 434,
  pidfd_getfd: 438,
  clone3: 435,
  close_range: 436,
  openat2: 437,
  faccessat2: 439,
  epoll_pwait2: 441,
} as const;

/** The same for 32-bit programs (Linux arch/x86/entry/syscalls/syscall_32.tbl). */
export const NR32 = {
  fork: 2,
  read: 3,
  write: 4,
  open: 5,
  close: 6,
  creat: 8,
  execve: 11,
  access: 33,
  dup: 41,
  ioctl: 54,
  fcntl: 55,
  dup2: 63,
  munmap: 91,
  clone: 120,
  vfork: 190,
  mmap2: 192,
  fcntl64: 221,
  tkill: 238,
  tgkill: 270,
  openat: 295,
  faccessat: 307,
  dup3: 330,
  execveat: 358,
  statx: 383,
  clone3: 435,
  close_range: 436,
  openat2: 437,
  faccessat2: 439,
} as const;

/** Errors (Linux include/uapi/asm-generic/errno-base.h). */
export const ERRNO = {
  ENOENT: 2,
  EINTR: 4,
  ENXIO: 6,
  E2BIG: 7,
  EBADF: 9,
  ENOMEM: 12,
  EACCES: 13,
  EFAULT: 14,
  EEXIST: 17,
  EXDEV: 18,
  ENODEV: 19,
  ENOTDIR: 20,
  EINVAL: 22,
  EMFILE: 24,
  ENOTTY: 25,
  ENOSYS: 38,
} as const;

/** AUDIT_ARCH_X86_64 (Linux include/uapi/linux/audit.h). */
export const ARCH_X86_64 = 0xc000003e;
/** AUDIT_ARCH_I386: a 32-bit program, or any that enters the kernel as one does. */
export const ARCH_I386 = 0x40000003;

/** Linux include/uapi/asm-generic/mman-common.h. */
export const MMAP = { readWrite: 3, shared: 1, fixed: 0x10, anonymous: 0x20 } as const;

export const MFD_CLOEXEC = 1;
export const MFD_ALLOW_SEALING = 2;
export const O_CLOEXEC = 0o2000000;
export const EFD_CLOEXEC_NONBLOCK = 0o2004000;
