foreach(file IN ITEMS places conf disks gateway_start revival)
  qc_test(unit home_${file} DEPS base home qkd qrng vault)
endforeach()
qc_fuzz(home_conf DEPS base home qkd qrng)
