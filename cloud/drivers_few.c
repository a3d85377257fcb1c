#include "driver.h"

/* A program that names these alone is linked without the others' files, and so without libs3, for which
 * libxml2 and ICU would be loaded each time that it starts. */
const struct cloud_drivers cloud_few = {
    .v = { &cloud_file_driver, &cloud_s3_https_driver, &cloud_s3_http_driver },
    .count = 3,
};
