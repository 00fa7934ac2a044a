# SPDX-License-Identifier: MIT
# The package for Nix: nix-build -E 'with import <nixpkgs> { }; callPackage ./package.nix { }'
{ lib, stdenv, fetchurl, cmake, ncurses, ninja, python3 }:

stdenv.mkDerivation {
  pname = "quoit";
  version = "@VERSION@";

  src = fetchurl {
    url = "@ARCHIVE@";
    sha256 = "@SHA256@";
  };

  nativeBuildInputs = [ cmake ninja python3 ];
  buildInputs = [ ncurses ];

  # Relative directories: quoit.pc finds the prefix relative to itself.
  cmakeFlags = [
    "-DCMAKE_INSTALL_LIBDIR=lib"
    "-DCMAKE_INSTALL_INCLUDEDIR=include"
    "-DQUOIT_WERROR=OFF"
    "-DQUOIT_TESTS=OFF"
    "-DQUOIT_BENCH=OFF"
    "-DQUOIT_EXAMPLES=OFF"
    "-DQUOIT_PYTHON=OFF"
    "-DQUOIT_BRIDGE=OFF"
  ];

  meta = {
    description = "Messages between the processes of one machine, through shared memory";
    homepage = "@HOME@";
    license = lib.licenses.mit;
    platforms = lib.platforms.unix;
    mainProgram = "quoit";
  };
}
