/* What the sample clients agree on with their guest: a flat binary that starts in real mode at GUEST_ENTRY, prints to
   a serial port, reads a device at DEVICE_GPA, a CPUID leaf and a synthetic MSR, and halts. */
#ifndef SAMPLE_GUEST_H
#define SAMPLE_GUEST_H

#define GUEST_BYTES 0x10000
#define GUEST_ENTRY 0x7c00

#define SERIAL_PORT 0x3f8
#define DEVICE_GPA 0xd0000
#define DEVICE_VALUE 0x2a /* '*' */
#define CPUID_LEAF 0x40000010
#define CPUID_EBX 0x6c6c6548 /* "Hell" */
#define SAMPLE_MSR 0x400000ff
#define SAMPLE_MSR_VALUE 0x2e52534d /* "MSR." */

#endif
