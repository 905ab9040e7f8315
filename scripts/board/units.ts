/** SenML units: RFC 8428 section 12.1 without those it discourages, and those that RFC 8798 added. */
export const UNITS =
  `/ % %RH %EL EL 1/s 1/min A B Bq C Cel F Gy H Hz J J/m K N Ohm Pa S S/m Sv T V VA VAs W W/m2 Wb
   beats beat/min bit bit/s cd cd/m2 count dB dBW deg kat kg kg/m3 lat lm lon lx m m/s m/s2 m2 m3
   m3/s mol pH rad s sr var vars`.split(/\s+/);
