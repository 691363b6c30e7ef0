#include "uir/data/path_remedy.h"

#include "index_files.h"

using namespace uir;

namespace {

// A tree with faces/ann/1.jpg.
struct Tree {
  Tree() { write(folder / "faces" / "ann" / "1.jpg", "x"); }
  std::string of(std::string_view path, const std::string& root = "faces",
                 ListFormat format = ListFormat::kPathLabel) const {
    return list_remedy(folder / "l.txt", format, folder / root, path);
  }
  // The sed command of a remedy, its two files left out.
  std::string script(std::string_view path, ListFormat format = ListFormat::kPathLabel) const {
    const std::string text = of(path, "faces", format);
    const size_t begin = text.find("sed '");
    if (begin == std::string::npos) return text;
    return text.substr(begin + 4, text.find(' ' + (folder / "l.txt").string()) - begin - 4);
  }
  std::string root(const std::string& name) const { return "root: " + (folder / name).string(); }
  TempFolder folder;
};

}  // namespace

TEST_CASE("A list of another folder names the folder", "[path_remedy]") {
  const Tree tree;
  CHECK_THAT(tree.of("faces/ann/1.jpg"), contains_text("root: " + tree.folder.path().string()));
  CHECK_THAT(tree.of("ann/1.jpg", ""), contains_text(tree.root("faces")));
  CHECK(tree.of("ann/2.jpg").empty());
  CHECK(tree.of("ben/1.jpg", "nowhere").empty());
}

TEST_CASE("A list of another machine is rewritten", "[path_remedy]") {
  const Tree tree;
  CHECK(tree.script("/data/x.y/ann/1.jpg") == R"('s#^/data/x\.y/##')");
  CHECK(tree.script("/it's/ann/1.jpg") == R"('s#^/it'\''s/##')");
  CHECK(tree.script("other/faces/ann/1.jpg") == "'s#^other/faces/##'");
  CHECK(tree.script("/data/ann/1.jpg", ListFormat::kIm2rec) == R"('s#\t/data/#\t#')");
  CHECK(tree.script("/data/ann/1.jpg", ListFormat::kInsightFace) == R"('s#\t/data/#\t#')");
  CHECK(tree.script(R"(ann\1.jpg)") == R"('s#\\#/#g')");
  CHECK(tree.script(R"(D:\faces\ann\1.jpg)") == R"('s#\\#/#g; s#^D:/faces/##')");
  CHECK(tree.script("D:/ann/1.jpg") == R"('s#\\#/#g; s#^D:/##')");
  CHECK(tree.script(R"(D:\gone\2.jpg)") == R"('s#\\#/#g; s#^D:/##')");  // what can be known
  CHECK_THAT(tree.of(R"(ann\1.jpg)"), contains_text("list: " + (tree.folder / "l.here.txt").string()));
  const std::string elsewhere = tree.of((tree.folder / "faces/ann/1.jpg").string(), "nowhere");
  CHECK_THAT(elsewhere, contains_text("sed") && contains_text(tree.root("faces")));
  CHECK(tree.of("/gone/2.jpg").empty());
}

TEST_CASE("A misspelled root is corrected at the folder that is not there", "[path_remedy]") {
  const Tree tree;
  CHECK_THAT(root_remedy(tree.folder / "facse"), contains_text(tree.root("faces")));
  CHECK_THAT(root_remedy(tree.folder / "facse" / "ann"), contains_text(tree.root("faces/ann")));
  CHECK_THAT(root_remedy(tree.folder / "something"), contains_text("has no 'something'"));
}
