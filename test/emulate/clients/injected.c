/* What a VMM puts before its guest: CPUID results of its own, an interruption that is pending, and an exception. */
#include "common.h"

#define VECTOR 0x41
#define UD_VECTOR 6
#define LEAF 0x12345
#define RESULT_AT 0x5f0
#define HVCALL_REGISTER_INTERCEPT_RESULT 0x91
#define HV_INTERCEPT_TYPE_X64_CPUID 2
#define HV_REGISTER_PENDING_INTERRUPTION 0x00010002
#define HV_REGISTER_PENDING_EVENT0 0x00010004

/* mov eax, LEAF; cpuid; mov [5f0h], eax; hlt */
static const unsigned char handler[] = {
	0x66, 0xb8, 0x45, 0x23, 0x01, 0x00, 0x0f, 0xa2, 0x66, 0xa3, 0xf0, 0x05, 0xf4,
};
/* mov dword [5f0h], 6; hlt */
static const unsigned char exception[] = { 0x66, 0xc7, 0x06, 0xf0, 0x05, 0x06, 0x00, 0x00, 0x00, 0xf4 };

static int hypercall(int fd, uint16_t code, uint16_t reps, void *input, uint16_t bytes)
{
	struct mshv_root_hvcall call = { .code = code, .reps = reps, .in_sz = bytes, .in_ptr = (uintptr_t)input };

	return ioctl(fd, MSHV_ROOT_HVCALL, &call);
}

static int start(int vp, uint32_t name, uint64_t pending)
{
	struct {
		uint64_t partition_id;
		uint32_t vp_index;
		uint32_t vtl;
		struct hv_register_assoc elements[5];
	} input = { .elements = {
		{ .name = HV_REGISTER_CS, .low = 0, .high = 0xffffull | 0x9bull << 48 },
		{ .name = HV_REGISTER_RIP, .low = 0x600 },
		{ .name = HV_REGISTER_RFLAGS, .low = 0x202 },
		{ .name = HV_REGISTER_RSP, .low = 0x600 },
		{ .name = name, .low = pending },
	} };

	return hypercall(vp, HVCALL_SET_VP_REGISTERS, 5, &input, sizeof(input));
}

int main(void)
{
	struct {
		uint64_t partition_id;
		uint32_t vp_index, type, eax, ecx;
		uint8_t subleaf_specific, always_override;
		uint16_t padding;
		uint32_t results[8];
	} cpuid = { .type = HV_INTERCEPT_TYPE_X64_CPUID, .eax = LEAF, .results = { 0x600d, 0xffffffff } };
	unsigned char *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	volatile uint32_t *result = (volatile uint32_t *)(memory + RESULT_AT);
	struct mshv_user_mem_region region = {
		.size = 4096,
		.userspace_addr = (uintptr_t)memory,
		.flags = MSHV_MEM_WRITABLE | MSHV_MEM_EXECUTABLE,
	};
	int partition = create_partition(open_device());
	struct hv_message message;
	int vp;

	memory[0x600] = 0xf4;
	memcpy(memory + 0x700, handler, sizeof(handler));
	memcpy(memory + 0x780, exception, sizeof(exception));
	memory[4 * VECTOR + 1] = 0x07;
	memory[4 * UD_VECTOR] = 0x80;
	memory[4 * UD_VECTOR + 1] = 0x07;
	ioctl(partition, MSHV_INITIALIZE_PARTITION);
	ioctl(partition, MSHV_SET_GUEST_MEMORY, &region);
	vp = create_vp(partition, 0);
	show("cpuid", hypercall(partition, HVCALL_REGISTER_INTERCEPT_RESULT, 0, &cpuid, 60));
	show("interruption", start(vp, HV_REGISTER_PENDING_INTERRUPTION, 1 | (uint64_t)VECTOR << 16));
	show("run", ioctl(vp, MSHV_RUN_VP, &message));
	printf("message=%x result=%x\n", message.type, *result);
	show("exception", start(vp, HV_REGISTER_PENDING_EVENT0, 1 | (uint64_t)UD_VECTOR << 16));
	show("run", ioctl(vp, MSHV_RUN_VP, &message));
	printf("message=%x result=%x\n", message.type, *result);
	/* Neither is there any more: the guest halts where it was put. */
	show("nothing", start(vp, HV_REGISTER_RSP, 0x600));
	*result = 0;
	show("run", ioctl(vp, MSHV_RUN_VP, &message));
	printf("message=%x result=%x\n", message.type, *result);
	return 0;
}
