/* Addresses of a guest with paging, which the hypervisor translates through the guest's own tables (PAE). */
#include "common.h"

#define HVCALL_TRANSLATE_VIRTUAL_ADDRESS 0x52
#define CR0 0x40000
#define CR3 0x40002
#define CR4 0x40003
#define CODE_AT 0x4000
#define PAGES 8

static int hypercall(int vp, struct mshv_root_hvcall call, void *input)
{
	call.in_ptr = (uintptr_t)input;
	return ioctl(vp, MSHV_ROOT_HVCALL, &call);
}

static int set_register(int vp, uint32_t name, uint64_t low, uint64_t high)
{
	struct {
		uint64_t partition;
		uint32_t vp, vtl;
		struct hv_register_assoc element;
	} input = { .element = { .name = name, .low = low, .high = high } };

	return hypercall(vp, (struct mshv_root_hvcall){ .code = HVCALL_SET_VP_REGISTERS, .reps = 1, .in_sz = sizeof(input) }, &input);
}

/* `name=result code,frame`, or the error. */
static void translate(int vp, const char *name, uint64_t page, uint64_t flags)
{
	struct {
		uint64_t partition;
		uint32_t vp, padding;
		uint64_t flags, page;
	} input = { .flags = flags, .page = page };
	struct {
		uint32_t code, more;
		uint64_t frame;
	} output = { 0 };
	struct mshv_root_hvcall call = {
		.code = HVCALL_TRANSLATE_VIRTUAL_ADDRESS,
		.in_sz = sizeof(input),
		.out_sz = sizeof(output),
		.out_ptr = (uintptr_t)&output,
	};

	if (hypercall(vp, call, &input) < 0)
		show(name, -1);
	else
		printf("%s=%u,%llu\n", name, output.code, (unsigned long long)output.frame);
}

int main(void)
{
	unsigned char *memory = mmap(NULL, PAGES * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t *pointers = (void *)(memory + 0x1000), *directory = (void *)(memory + 0x2000), *table = (void *)(memory + 0x3000);
	int partition = create_partition(open_device());
	struct hv_message message;
	int vp;

	show("initialize", ioctl(partition, MSHV_INITIALIZE_PARTITION));
	show("memory", give_memory(partition, memory, PAGES * 4096, 0));
	vp = show("vp", create_vp(partition, 0));
	memory[CODE_AT] = 0xf4;
	pointers[0] = 0x2001;
	directory[0] = 0x3007;
	directory[1] = 0x200087;
	table[3] = 0x5005;
	table[4] = 0x100007;
	set_register(vp, HV_REGISTER_CS, 0, 0xffffull | 0x9bull << 48);
	set_register(vp, HV_REGISTER_RIP, CODE_AT, 0);
	translate(vp, "plain-untouched", 3, 1);
	show("run", ioctl(vp, MSHV_RUN_VP, &message));
	printf("message=%x\n", message.type);
	translate(vp, "plain", 3, 1);
	set_register(vp, CR3, 0x1000, 0);
	set_register(vp, CR4, 0x20, 0);
	set_register(vp, CR0, 0x80010011, 0);
	translate(vp, "page", 3, 1);
	translate(vp, "write", 3, 2);
	translate(vp, "user", 3, 0x81);
	translate(vp, "absent", 2, 1);
	translate(vp, "beyond", 4, 1);
	translate(vp, "large", 0x203, 0);
	table[2] = 0x6007;
	translate(vp, "changed", 2, 2);
	return 0;
}
