/* A program makes the file smaller that its guest has memory of: the guest finds zeros there, and goes on. */
#include "register-page.h"

/* mov al, [1000h]; out 60h, al; mov byte [1000h], 7; mov al, [1000h]; out 60h, al; hlt */
static const unsigned char code[] = {
	0xa0, 0x00, 0x10, 0xe6, 0x60, 0xc6, 0x06, 0x00, 0x10, 0x07, 0xa0, 0x00, 0x10, 0xe6, 0x60, 0xf4,
};

static void next(int vp, volatile struct register_page *page)
{
	struct hv_message message = { 0 };

	show("run", ioctl(vp, MSHV_RUN_VP, &message));
	printf("message=%x al=%x\n", message.type, (int)(page->rax & 0xff));
	page->rip += payload(&message, 4, 1) & 15;
	mark(page, IP);
}

int main(void)
{
	int partition = create_partition(open_device()), file = memfd_create("ram", 0);
	int vp = boot(partition, new_page(MAP_SHARED), code, sizeof(code));
	volatile struct register_page *page = map_page(vp, 0);
	unsigned char *memory;

	ftruncate(file, 2 * 4096);
	memory = mmap(NULL, 2 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	memory[0] = 0x11;
	show("low", give_memory(partition, memory, 2 * 4096, 1));
	next(vp, page);
	page->rip = 0xfff0;
	mark(page, IP);
	show("shrink", ftruncate(file, 0));
	for (int n = 0; n < 3; n++)
		next(vp, page);
	return 0;
}
