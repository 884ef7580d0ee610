/* A run loop that has neither a call for registers nor the message of MSHV_RUN_VP: it reads what the VP stopped for from the
 * intercept message page, and answers through the register page. */
#include "register-page.h"

/* From the reset vector to the start of the page. */
static const unsigned char reset[] = { 0xe9, 0x0d, 0xf0 };
static const unsigned char code[] = {
	0xb8, 0x00, 0xd0, 0x8e, 0xc0, 0xba, 0xf8, 0x03,       /* es = d000h, dx = 3f8h */
	0xec, 0x84, 0xc0, 0x74, 0x03, 0xee, 0xeb, 0xf8,       /* what it reads it writes, until that is 0 */
	0x26, 0xa1, 0x00, 0x00, 0x26, 0xa3, 0x04, 0x00,       /* ax from d0000h to d0004h, where no memory is */
	0xe6, 0x99,                                           /* the VMM changes ES, XMM0 and the carry flag */
	0x73, 0x04,                                           /* without carry: to the end */
	0x26, 0xa3, 0x02, 0x00,                               /* ax to es:2 */
	0xf4,
};

int main(void)
{
	const char *text = "by the page\n";
	int partition = create_partition(open_device());
	unsigned char *memory = new_page(MAP_PRIVATE);
	volatile struct register_page *page;
	const struct hv_message *message;
	struct hv_message unused;
	int vp, bad = 0;

	memcpy(memory, code, sizeof(code));
	vp = boot(partition, memory, reset, sizeof(reset));
	show("registers", (page = map_page(vp, 0)) != NULL ? 0 : -1);
	show("messages", (message = map_page(vp, 1)) != NULL ? 0 : -1);
	show("ghcb", map_page(vp, 2) != NULL ? 0 : -1);
	show("beyond", map_page(vp, 3) != NULL ? 0 : -1);
	printf("before=%d\n", page->isvalid);
	for (int exits = 0; exits < 100; exits++) {
		uint64_t rip, length;
		int writes;

		if (ioctl(vp, MSHV_RUN_VP, &unused) != 0)
			return 1;
		bad += page->version != 1 || page->isvalid != 1 || page->dirty != 0;
		bad += memcmp(&unused, message, sizeof(unused)) != 0;
		rip = payload(message, 24, 8);
		bad += page->rip != rip || page->rflags != payload(message, 32, 8) || page->cs.base != 0xffff0000;
		length = payload(message, 4, 1) & 15;
		writes = payload(message, 5, 1);
		if (message->type == 0x80010000) {
			int port = payload(message, 40, 2);

			bad += (page->rax & 0xff) != (payload(message, 48, 8) & 0xff);
			if (port == 0x99) {
				page->es.base = 0xe0000;
				page->es.selector = 0xe000;
				page->xmm[0][0] = 0x5a;
				page->rflags |= 1;
				mark(page, SEGMENT | XMM | FLAGS);
			} else if (writes) {
				putchar((int)page->rax);
			} else {
				page->rax = (page->rax & ~0xffull) | (unsigned char)*text;
				text += *text != 0;
				mark(page, GENERAL);
			}
		} else if (message->type == 0x80000000) {
			printf("%s %llx %llx\n", writes ? "write" : "read", (unsigned long long)payload(message, 56, 8),
			       (unsigned long long)(page->rax & 0xffff));
			length = 4;
			if (!writes) {
				page->rax = 0x1234;
				mark(page, GENERAL);
			}
		} else {
			break;
		}
		page->rip = rip + length;
		mark(page, IP);
	}
	printf("message=%x bad=%d xmm0=%x\n", message->type, bad, (int)page->xmm[0][0]);
	return 0;
}
