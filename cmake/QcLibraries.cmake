# Debian's libraries. A module that uses one lists it in LIBS; base alone uses sodium, crypto, nettle, sqlite3 and jansson; net has ssl.
find_package(PkgConfig REQUIRED)
pkg_check_modules(sodium REQUIRED IMPORTED_TARGET libsodium>=1.0.18)
pkg_check_modules(crypto REQUIRED IMPORTED_TARGET libcrypto>=3.0)
pkg_check_modules(nettle REQUIRED IMPORTED_TARGET nettle>=3.8)
pkg_check_modules(ssl REQUIRED IMPORTED_TARGET libssl>=3.0)
pkg_check_modules(sqlite3 REQUIRED IMPORTED_TARGET sqlite3>=3.40)
pkg_check_modules(jansson REQUIRED IMPORTED_TARGET jansson>=2.14)
pkg_check_modules(microhttpd REQUIRED IMPORTED_TARGET libmicrohttpd>=0.9.75)
pkg_check_modules(gnutls REQUIRED IMPORTED_TARGET gnutls>=3.7)
pkg_check_modules(curl REQUIRED IMPORTED_TARGET libcurl>=7.88)
pkg_check_modules(expat REQUIRED IMPORTED_TARGET expat>=2.5)
pkg_check_modules(libpq REQUIRED IMPORTED_TARGET libpq>=15)

pkg_check_modules(qrencode REQUIRED IMPORTED_TARGET libqrencode>=4.1)
pkg_check_modules(png REQUIRED IMPORTED_TARGET libpng>=1.6)

# libharu has none, either.
find_library(QC_HPDF_LIBRARY hpdf REQUIRED)
find_path(QC_HPDF_INCLUDE hpdf.h REQUIRED)
add_library(qc_hpdf INTERFACE IMPORTED)
target_include_directories(qc_hpdf INTERFACE ${QC_HPDF_INCLUDE})
target_link_libraries(qc_hpdf INTERFACE ${QC_HPDF_LIBRARY})

# liberasurecode has no pkg-config file in Debian.
find_library(QC_ERASURECODE_LIBRARY erasurecode REQUIRED)
find_path(QC_ERASURECODE_INCLUDE liberasurecode/erasurecode.h REQUIRED)
add_library(qc_erasurecode INTERFACE IMPORTED)
target_include_directories(qc_erasurecode INTERFACE ${QC_ERASURECODE_INCLUDE} ${QC_ERASURECODE_INCLUDE}/liberasurecode)
target_link_libraries(qc_erasurecode INTERFACE ${QC_ERASURECODE_LIBRARY})

# libs3, shared: the archive beside it would take libcurl's functions from another libcurl than its own (cloud/s3v2.h).
find_library(QC_S3_LIBRARY NAMES libs3.so REQUIRED)
find_path(QC_S3_INCLUDE libs3.h REQUIRED)
add_library(qc_libs3 INTERFACE IMPORTED)
target_include_directories(qc_libs3 INTERFACE ${QC_S3_INCLUDE})
target_link_libraries(qc_libs3 INTERFACE ${QC_S3_LIBRARY})

# The archives of what base/ uses, for programs that are linked statically.
foreach(archive sodium crypto nettle sqlite3 jansson)
  find_library(QC_STATIC_${archive} NAMES lib${archive}.a REQUIRED)
  list(APPEND QC_STATIC_LIBRARIES ${QC_STATIC_${archive}})
endforeach()
