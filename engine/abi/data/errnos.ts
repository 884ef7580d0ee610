/**
 * Linux errnos that the drivers, a VMM or a recorder meet. Columns: number, name, meaning.
 * Source: Linux 7.2 include/uapi/asm-generic/errno-base.h and errno.h, include/linux/errno.h (512 and above).
 */
export const ERRNOS = `
1 EPERM operation not permitted
2 ENOENT no such file, region or object
3 ESRCH no such process
4 EINTR interrupted by a signal
5 EIO input/output error
6 ENXIO no such device or address
7 E2BIG too long
9 EBADF bad file descriptor
10 ECHILD no child process
11 EAGAIN try again
12 ENOMEM out of memory
13 EACCES permission denied
14 EFAULT bad address
16 EBUSY busy
17 EEXIST exists already
19 ENODEV no such device
20 ENOTDIR not a directory
21 EISDIR is a directory
22 EINVAL invalid argument
23 ENFILE too many open files in the system
24 EMFILE too many open files
25 ENOTTY not an ioctl of this file
27 EFBIG file too large
28 ENOSPC no space left
29 ESPIPE illegal seek
30 EROFS read-only
32 EPIPE broken pipe
33 EDOM outside the domain of a function
34 ERANGE out of range
35 EDEADLK deadlock avoided
38 ENOSYS not implemented
42 ENOMSG no message of that type
61 ENODATA no data available
62 ETIME timer expired
71 EPROTO protocol error
74 EBADMSG not a data message
75 EOVERFLOW value too large
77 EBADFD file descriptor in a bad state
90 EMSGSIZE message too long
95 EOPNOTSUPP not supported
107 ENOTCONN not connected
110 ETIMEDOUT timed out
114 EALREADY already in progress
115 EINPROGRESS in progress
125 ECANCELED cancelled
131 ENOTRECOVERABLE state not recoverable
512 ERESTARTSYS restart the call (inside the kernel)
513 ERESTARTNOINTR restart the call without a signal (inside the kernel)
514 ERESTARTNOHAND restart if there is no handler (inside the kernel)
516 ERESTART_RESTARTBLOCK restart by a system call (inside the kernel)
524 ENOTSUPP operation is not supported (inside the kernel)
`;
