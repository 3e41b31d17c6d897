import { deepStrictEqual } from "node:assert/strict";
import { isPublicAddress } from "../../../functions/outbound/public_address.ts";

Deno.test("isPublicAddress() accepts public addresses", () => {
  const open = [
    "1.1.1.1",
    "93.184.216.34",
    "172.15.0.1",
    "172.32.0.1",
    "100.63.255.255",
    "100.128.0.1",
    "2606:4700:4700::1111",
    "2a00:1450:4001:81b::200e",
    "::ffff:1.1.1.1",
  ];
  deepStrictEqual(open.filter((address) => !isPublicAddress(address)), []);
});

Deno.test("isPublicAddress() refuses private, special and wrapped addresses", () => {
  const closed = {
    private: ["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1"],
    loopback: ["127.0.0.1", "127.255.255.255", "::1"],
    unspecified: ["0.0.0.0", "0.1.2.3", "::"],
    linkLocal: ["169.254.169.254", "fe80::1", "fe80::1%eth0"],
    carrier: ["100.64.0.1", "100.100.100.200", "100.127.255.255"],
    multicast: ["224.0.0.1", "239.255.255.255", "ff02::1"],
    reserved: ["240.0.0.1", "255.255.255.255", "192.0.0.192", "192.0.2.1"],
    tests: ["198.18.0.1", "198.51.100.1", "203.0.113.1", "2001:db8::1"],
    uniqueLocal: ["fc00::1", "fd00:ec2::254", "fec0::1"],
    mapped: ["::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:a9fe:a9fe"],
    compatible: ["::127.0.0.1", "::7f00:1", "::ffff:0:127.0.0.1"],
    nat64: ["64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a00:1"],
    sixToFour: ["2002:7f00:1::", "2002:a00:1::1", "192.88.99.1"],
    teredo: ["2001:0:4136:e378:8000:63bf:3fff:fdd2"],
    platform: ["168.63.129.16"],
    nonsense: ["", "localhost", "1.2.3.4.5", "[::1]", "1.1.1.1/8"],
  };
  deepStrictEqual(
    Object.values(closed).flat().filter((address) => isPublicAddress(address)),
    [],
  );
});
