/* Hash functions after wyhash (Wang Yi, public domain, github.com/wangyi-fudan/wyhash): 64 x 64 -> 128 bit
 * multiplications folded by xor. Values differ between machines of different byte order; they are never stored. */
#include "base/map.h"

#include <string.h>

#define S0 UINT64_C(0x2d358dccaa6c78a5)
#define S1 UINT64_C(0x8bb84b93962eacc9)

static inline void mul128(uint64_t *a, uint64_t *b)
{
#ifdef __SIZEOF_INT128__
    __extension__ typedef unsigned __int128 u128;
    u128 r = (u128)*a * *b;
    *a = (uint64_t)r;
    *b = (uint64_t)(r >> 64);
#else
    uint64_t ah = *a >> 32, al = (uint32_t)*a, bh = *b >> 32, bl = (uint32_t)*b;
    uint64_t mid1 = ah * bl, mid2 = al * bh, low = al * bl;
    uint64_t t = (low >> 32) + (uint32_t)mid1 + (uint32_t)mid2;
    *a = (uint32_t)low | t << 32;
    *b = ah * bh + (mid1 >> 32) + (mid2 >> 32) + (t >> 32);
#endif
}

static inline uint64_t mix(uint64_t a, uint64_t b)
{
    mul128(&a, &b);
    return a ^ b;
}

static inline uint64_t read8(const unsigned char *p)
{
    uint64_t v;
    memcpy(&v, p, 8);
    return v;
}

static inline uint64_t read4(const unsigned char *p)
{
    uint32_t v;
    memcpy(&v, p, 4);
    return v;
}

uint64_t ag_hash_bytes(uint64_t seed, const void *key, size_t n)
{
    const unsigned char *p = key;
    uint64_t a = 0, b = 0;
    seed ^= mix(seed ^ S0, S1);
    if (n > 16) {
        size_t left = n;
        for (; left > 16; left -= 16, p += 16)
            seed = mix(read8(p) ^ S1, read8(p + 8) ^ seed);
        a = read8(p + left - 16);
        b = read8(p + left - 8);
    } else if (n >= 4) {
        size_t mid = (n >> 3) << 2;
        a = read4(p) << 32 | read4(p + mid);
        b = read4(p + n - 4) << 32 | read4(p + n - 4 - mid);
    } else if (n > 0) {
        a = (uint64_t)p[0] << 16 | (uint64_t)p[n >> 1] << 8 | p[n - 1];
    }
    a ^= S1;
    b ^= seed;
    mul128(&a, &b);
    return mix(a ^ S0 ^ n, b ^ S1);
}

uint64_t ag_hash_u64(uint64_t seed, uint64_t v)
{
    uint64_t a = v ^ S0, b = seed ^ S1;
    mul128(&a, &b);
    return mix(a ^ S0, b ^ S1);
}
