/**
 * Synthetic MSRs. Columns: address, name without HV_X64_MSR_, access, value at reset (- where unknown), layout,
 * who writes it in Linux, note.
 * Source: TLFS (MSR list, SynIC, timers, partition reference time), Linux 7.2.13 include/hyperv and
 * arch/x86/hyperv, KVM's header for SYNDBG, OpenVMM hvdef for the proxy bit of a SINT.
 */
export const MSRS = `
0x40000000 GUEST_OS_ID             rw 0x0     guest_os_id             | kernel core (hyperv_init / hyperv_cleanup) | Linux value: 0x8100<<48 + version<<16. Writing 0 disables hypercalls.
0x40000001 HYPERCALL               rw 0x0     hypercall               | kernel core
0x40000002 VP_INDEX                ro -       -                       | kernel core | write raises #GP
0x40000003 RESET                   rw 0x0     reset                   | crash path
0x40000010 VP_RUNTIME              ro -       -                       | -
0x40000020 TIME_REF_COUNT          ro -       -                       | clocksource | 100 ns units; write raises #GP
0x40000021 REFERENCE_TSC           rw 0x0     reference_tsc           | clocksource
0x40000022 TSC_FREQUENCY           ro -       -                       | -
0x40000023 APIC_FREQUENCY          ro -       -                       | -
0x40000070 EOI                     wo -       -                       | APIC driver
0x40000071 ICR                     rw -       -                       | APIC driver
0x40000072 TPR                     rw -       -                       | APIC driver
0x40000073 VP_ASSIST_PAGE          rw 0x0     reference_tsc           | kernel core per cpu
0x40000080 SCONTROL                rw 0x0     scontrol                | VMBus when VMBus is active; otherwise MSHV | reset value of TLFS; OpenVMM emulator resets to 0x1
0x40000081 SVERSION                ro 0x1     sversion                | nobody | write raises #GP
0x40000082 SIEFP                   rw 0x0     siefp                   | VMBus when active; otherwise MSHV
0x40000083 SIMP                    rw 0x0     simp                    | VMBus when active; otherwise MSHV
0x40000084 EOM                     wo 0x0     -                       | whoever consumed a message with msg_pending set | reads return 0; any write triggers a queue scan
0x40000085 SIRBP                   rw 0x0     sirbp                   | MSHV only | event ring page; not in the public TLFS; no nested alias in Linux; reset value assumed
0x40000090 SINT0                   rw 0x10000 sint                    | MSHV intercept/message SINT
0x40000091 SINT1                   rw 0x10000 sint                    | unused by Linux drivers
0x40000092 SINT2                   rw 0x10000 sint                    | VMBus (VMBUS_MESSAGE_SINT)
0x40000093 SINT3                   rw 0x10000 sint                    | unused by Linux drivers
0x40000094 SINT4                   rw 0x10000 sint                    | legacy stimer choice of some guests
0x40000095 SINT5                   rw 0x10000 sint                    | MSHV doorbell SINT (written with as_intercept=1)
0x40000096 SINT6                   rw 0x10000 sint                    | unused by Linux drivers
0x40000097 SINT7                   rw 0x10000 sint                    | VTL2 VMBus relay SINT (mshv_vtl)
0x40000098 SINT8                   rw 0x10000 sint                    | unused by Linux drivers
0x40000099 SINT9                   rw 0x10000 sint                    | unused by Linux drivers
0x4000009a SINT10                  rw 0x10000 sint                    | unused by Linux drivers
0x4000009b SINT11                  rw 0x10000 sint                    | unused by Linux drivers
0x4000009c SINT12                  rw 0x10000 sint                    | unused by Linux drivers
0x4000009d SINT13                  rw 0x10000 sint                    | unused by Linux drivers
0x4000009e SINT14                  rw 0x10000 sint                    | unused by Linux drivers
0x4000009f SINT15                  rw 0x10000 sint                    | unused by Linux drivers
0x400000b0 STIMER0_CONFIG          rw 0x0     stimer_config           | clockevents driver (STIMER0) / VMBus legacy
0x400000b1 STIMER0_COUNT           rw 0x0     -                       | clockevents driver | 100 ns units
0x400000b2 STIMER1_CONFIG          rw 0x0     stimer_config           | clockevents driver (STIMER0) / VMBus legacy
0x400000b3 STIMER1_COUNT           rw 0x0     -                       | clockevents driver | 100 ns units
0x400000b4 STIMER2_CONFIG          rw 0x0     stimer_config           | clockevents driver (STIMER0) / VMBus legacy
0x400000b5 STIMER2_COUNT           rw 0x0     -                       | clockevents driver | 100 ns units
0x400000b6 STIMER3_CONFIG          rw 0x0     stimer_config           | clockevents driver (STIMER0) / VMBus legacy
0x400000b7 STIMER3_COUNT           rw 0x0     -                       | clockevents driver | 100 ns units
0x400000f0 GUEST_IDLE              ro -       -                       | spinlock/idle | read idles the VP
0x400000f1 SYNDBG_CONTROL          rw -       -                       | synthetic debugger (KVM emulates) | address from the KVM emulation header
0x400000f2 SYNDBG_STATUS           rw -       -                       | synthetic debugger (KVM emulates) | address from the KVM emulation header
0x400000f3 SYNDBG_SEND_BUFFER      rw -       -                       | synthetic debugger (KVM emulates) | address from the KVM emulation header
0x400000f4 SYNDBG_RECV_BUFFER      rw -       -                       | synthetic debugger (KVM emulates) | address from the KVM emulation header
0x400000f5 SYNDBG_PENDING_BUFFER   rw -       -                       | synthetic debugger (KVM emulates) | address from the KVM emulation header
0x400000ff SYNDBG_OPTIONS          rw -       -                       | synthetic debugger (KVM emulates) | address from the KVM emulation header
0x40000100 CRASH_P0                rw 0x0     -                       | crash path
0x40000101 CRASH_P1                rw 0x0     -                       | crash path
0x40000102 CRASH_P2                rw 0x0     -                       | crash path
0x40000103 CRASH_P3                rw 0x0     -                       | crash path
0x40000104 CRASH_P4                rw 0x0     -                       | crash path
0x40000105 CRASH_CTL               rw -       crash_ctl               | crash path
0x40000106 REENLIGHTENMENT_CONTROL rw -       reenlightenment_control | kernel core
0x40000107 TSC_EMULATION_CONTROL   rw -       tsc_emulation_control   | kernel core
0x40000108 TSC_EMULATION_STATUS    rw -       tsc_emulation_status    | kernel core
0x40000118 TSC_INVARIANT_CONTROL   rw -       tsc_invariant_control   | kernel core
0x40001080 NESTED_SCONTROL         rw 0x0     scontrol                | VMBus on a nested partition (hv_nested)
0x40001081 NESTED_SVERSION         ro -       -                       | -
0x40001082 NESTED_SIEFP            rw 0x0     siefp                   | VMBus on a nested partition
0x40001083 NESTED_SIMP             rw 0x0     simp                    | VMBus on a nested partition
0x40001084 NESTED_EOM              wo -       -                       | VMBus on a nested partition
0x40001090 NESTED_SINT0            rw 0x10000 sint                    | - | Linux 7.2.13 maps SINTn to NESTED_SINT0 + n
0x40001091 NESTED_SINT1            rw 0x10000 sint                    | -
0x40001092 NESTED_SINT2            rw 0x10000 sint                    | VMBus uses index 2 on a nested partition
0x40001093 NESTED_SINT3            rw 0x10000 sint                    | -
0x40001094 NESTED_SINT4            rw 0x10000 sint                    | -
0x40001095 NESTED_SINT5            rw 0x10000 sint                    | -
0x40001096 NESTED_SINT6            rw 0x10000 sint                    | -
0x40001097 NESTED_SINT7            rw 0x10000 sint                    | -
0x40001098 NESTED_SINT8            rw 0x10000 sint                    | -
0x40001099 NESTED_SINT9            rw 0x10000 sint                    | -
0x4000109a NESTED_SINT10           rw 0x10000 sint                    | -
0x4000109b NESTED_SINT11           rw 0x10000 sint                    | -
0x4000109c NESTED_SINT12           rw 0x10000 sint                    | -
0x4000109d NESTED_SINT13           rw 0x10000 sint                    | -
0x4000109e NESTED_SINT14           rw 0x10000 sint                    | -
0x4000109f NESTED_SINT15           rw 0x10000 sint                    | -
`;

/** Bit fields by layout name: `[lsb..msb] name display`, then a note on every MSR that has the layout. */
export const MSR_LAYOUTS = `
guest_os_id: [0..15] build, [16..47] kernel_version, [48..63] vendor
hypercall: [0] enable, [1] locked, [2..11] reserved_p, [12..63] guest_physical_page pfn
reset: [0] reset
reference_tsc: [0] enable, [1..11] reserved, [12..63] pfn pfn
scontrol: [0] enable, [1..63] reserved
sversion: [0..31] version, [32..63] rsvdp
siefp: [0] enabled, [1..11] preserved, [12..63] base_siefp_gpa pfn
simp: [0] enabled, [1..11] preserved, [12..63] base_simp_gpa pfn
sirbp: [0] enabled, [1..11] preserved, [12..63] base_sirbp_gpa pfn
sint: [0..7] vector hex, [8..15] reserved1, [16] masked, [17] auto_eoi, [18] polling, [19] as_intercept, [20] proxy, [21..63] reserved2 # vector 0..15 with masked=0 raises #GP (TLFS: an invalid vector raises #GP)
stimer_config: [0] enabled, [1] periodic, [2] lazy, [3] auto_enabled, [4..11] apic_vector hex, [12] direct_mode, [13..15] reserved_z0, [16..19] sintx, [20..63] reserved_z1
crash_ctl: [0..57] reserved, [58..60] pre_os_id, [61] no_crash_dump, [62] crash_message, [63] crash_notify
reenlightenment_control: [0..7] vector hex, [8..15] reserved1, [16] enabled, [17..31] reserved2, [32..63] target_vp
tsc_emulation_control: [0] enabled, [1..63] reserved
tsc_emulation_status: [0] inprogress, [1..63] reserved
tsc_invariant_control: [0] expose_invariant_tsc
`;
