/* The register page and the intercept message page of a VP, as a VMM maps them (Linux 7.2 include/hyperv/hvhdk.h). */
#ifndef TEST_REGISTER_PAGE_H
#define TEST_REGISTER_PAGE_H

#include "common.h"

struct segment {
	uint64_t base;
	uint32_t limit;
	uint16_t selector, attributes;
};
struct register_page {
	uint16_t version;
	uint8_t isvalid, rsvdz;
	uint32_t dirty;
	uint64_t rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8_to_r15[8], rip, rflags;
	uint8_t reserved[8];
	uint64_t xmm[6][2];
	struct segment es, cs, ss, ds, fs, gs;
	uint64_t cr0, cr3, cr4, cr8, efer, dr7, pending_interruption, interrupt_state, hints, xfem;
	uint8_t reserved1[256];
	uint8_t vectors[8];
};
#define GENERAL 1
#define IP 2
#define XMM 4
#define SEGMENT 8
#define FLAGS 16

static inline void *map_page(int vp, int index)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, vp, index * 4096);

	return page == MAP_FAILED ? NULL : page;
}

/* As a VMM has to set them: the kernel may be changing the page as well. */
static inline void mark(volatile struct register_page *page, uint32_t classes)
{
	__atomic_fetch_or(&page->dirty, classes, __ATOMIC_SEQ_CST);
}

static inline uint64_t payload(const struct hv_message *message, int at, int bytes)
{
	uint64_t value = 0;

	memcpy(&value, (const char *)message + 16 + at, bytes);
	return value;
}

#endif
