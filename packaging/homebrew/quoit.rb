# SPDX-License-Identifier: MIT
# The formula for Homebrew.
class Quoit < Formula
  desc "Messages between the processes of one machine, through shared memory"
  homepage "@HOME@"
  url "@ARCHIVE@"
  sha256 "@SHA256@"
  license "MIT"

  depends_on "cmake" => :build
  depends_on "python@3.13" => :build # for the manual pages
  uses_from_macos "ncurses"

  def install
    system "cmake", "-S", ".", "-B", "build", "-DQUOIT_WERROR=OFF", "-DQUOIT_TESTS=OFF", "-DQUOIT_BENCH=OFF",
           "-DQUOIT_EXAMPLES=OFF", "-DQUOIT_PYTHON=OFF", "-DQUOIT_BRIDGE=OFF", *std_cmake_args
    system "cmake", "--build", "build"
    system "cmake", "--install", "build"
  end

  test do
    (testpath/"test.c").write <<~C
      #include <quoit.h>
      int main(void) { return quoit_version() == QUOIT_VERSION ? 0 : 1; }
    C
    system ENV.cc, "test.c", "-I#{include}", "-L#{lib}", "-lquoit", "-o", "test"
    system "./test"
    assert_match version.to_s, shell_output("#{bin}/quoit --version")
  end
end
