{
  # node-gyp users get the same build as everybody: one target that hands over to cmake-js. CMake is the only description of
  # the build (native/CMakeLists.txt); its folder is not build/, which node-gyp owns.
  "targets": [
    {
      "target_name": "aibench",
      "type": "none",
      "actions": [
        {
          "action_name": "cmake_js",
          "inputs": ["native/CMakeLists.txt", "scripts/build-native.mjs"],
          "outputs": ["<(PRODUCT_DIR)/aibench.node"],
          "action": ["node", "scripts/build-native.mjs", "--copy-to=<(PRODUCT_DIR)"]
        }
      ]
    }
  ]
}
