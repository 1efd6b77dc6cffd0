/* Runs a fuzz target over files instead of libFuzzer: each argument is a file or a folder of files. With no file at all it
 * still runs the target on the empty input, so that the target itself is exercised. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f) {
        perror(path);
        return 1;
    }
    size_t size = 0, room = 4096;
    uint8_t *data = malloc(room);
    for (size_t n; data && (n = fread(data + size, 1, room - size, f)) > 0;) {
        size += n;
        if (size == room) {
            uint8_t *more = realloc(data, room *= 2);
            if (!more)
                free(data);
            data = more;
        }
    }
    fclose(f);
    if (!data)
        return 1;
    /* An exact copy, so that a sanitizer sees a read past the end. */
    uint8_t *exact = malloc(size ? size : 1);
    if (exact) {
        memcpy(exact, data, size);
        LLVMFuzzerTestOneInput(exact, size);
    }
    free(exact);
    free(data);
    return exact ? 0 : 1;
}

static int replay_folder(const char *path, int *count)
{
    DIR *d = opendir(path);
    int rc = 0;
    if (!d)
        return 0; /* a target may have no corpus yet */
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        char name[4096];
        if (e->d_name[0] == '.')
            continue;
        snprintf(name, sizeof name, "%s/%s", path, e->d_name);
        rc |= replay_file(name);
        ++*count;
    }
    closedir(d);
    return rc;
}

int main(int argc, char **argv)
{
    int count = 0, rc = 0;
    LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
    for (int i = 1; i < argc; i++) {
        struct stat st;
        if (stat(argv[i], &st) == 0 && !S_ISDIR(st.st_mode)) {
            rc |= replay_file(argv[i]);
            count++;
        } else {
            rc |= replay_folder(argv[i], &count);
        }
    }
    printf("%d inputs\n", count);
    return rc;
}
