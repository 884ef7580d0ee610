/* The message page of a guest's SynIC: what the guest writes there is read as its state, and what is given as state the guest reads. */
#include "common.h"

#define PAGE 4096
#define LAPIC 0
#define SIMP 2
#define SVR_AT 16
#define LVT_LINT0_AT 140
#define TYPE_AT 0x100
#define PAYLOAD_AT 0x110
#define HLT_AT 26

struct state_argument {
	uint8_t type, reserved[3];
	uint32_t size;
	uint64_t pointer;
};
#define MSHV_GET_VP_STATE 0xc010b801
#define MSHV_SET_VP_STATE 0xc010b802

#define WORD(value) (value) & 0xff, ((value) >> 8) & 0xff, ((value) >> 16) & 0xff, ((value) >> 24) & 0xff

/* jmp 0:600h */
static const unsigned char reset[] = { 0xea, 0x00, 0x06, 0x00, 0x00 };
static const unsigned char code[] = {
	0x31, 0xc0, 0x8e, 0xd8, 0x66, 0x31, 0xd2,                            /* ds = 0, edx = 0 */
	0x66, 0xb9, WORD(0x40000083), 0x66, 0xb8, WORD(0x1001), 0x0f, 0x30, /* SIMP: 1000h */
	0xc6, 0x06, 0x10, 0x12, 0x77,                                        /* mov byte [1210h], 77h */
	0xf4,                                                                /* hlt */
	0xa0, 0x10, 0x11, 0xa2, 0xf0, 0x05,                                  /* mov al, [1110h]; mov [5f0h], al */
	0xf4,
};

static long state(int vp, unsigned long request, int type, unsigned char *page)
{
	struct state_argument argument = { .type = type, .size = PAGE, .pointer = (uintptr_t)page };

	return ioctl(vp, request, &argument);
}

static void run(int vp)
{
	struct hv_message message;

	show("run", ioctl(vp, MSHV_RUN_VP, &message));
	printf("message=%x\n", message.type);
}

int main(void)
{
	unsigned char *memory = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned char *page = new_page(MAP_PRIVATE);
	int partition = create_partition(open_device());
	int vp;

	memcpy(memory + 2 * PAGE + 0xff0, reset, sizeof(reset));
	memcpy(memory + 0x600, code, sizeof(code));
	show("initialize", ioctl(partition, MSHV_INITIALIZE_PARTITION));
	show("memory", give_memory(partition, memory, 2 * PAGE, 0));
	show("memory", give_memory(partition, memory + 2 * PAGE, PAGE, 0xfffff));
	vp = show("vp", create_vp(partition, 0));
	show("lapic", state(vp, MSHV_GET_VP_STATE, LAPIC, page));
	page[SVR_AT + 1] = 1;
	page[LVT_LINT0_AT + 1] = 7;
	show("set-lapic", state(vp, MSHV_SET_VP_STATE, LAPIC, page));
	memset(page, 0, PAGE);
	show("lapic-again", state(vp, MSHV_GET_VP_STATE, LAPIC, page));
	printf("svr=%x%02x lint0=%x\n", page[SVR_AT + 1], page[SVR_AT], page[LVT_LINT0_AT + 1]);
	run(vp);
	show("simp", state(vp, MSHV_GET_VP_STATE, SIMP, page));
	printf("guest=%x\n", page[0x210]);
	page[TYPE_AT] = 0x10;
	page[PAYLOAD_AT] = 0x99;
	show("set-simp", state(vp, MSHV_SET_VP_STATE, SIMP, page));
	memory[0x600 + HLT_AT] = 0x90; /* the guest goes on */
	run(vp);
	printf("seen=%x below=%x\n", memory[0x5f0], memory[0x1110]);
	return 0;
}
