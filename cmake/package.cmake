# What is installed, and the Debian package that holds it. A program finds its scenarios from where it
# stands itself, so PREFIX may be any folder.

include(GNUInstallDirs)

# What terminals need is made by the program that it is about.
set(made ${CMAKE_BINARY_DIR}/for-terminals)
file(MAKE_DIRECTORY ${made})
add_custom_command(OUTPUT ${made}/postern.1.gz ${made}/postern-gateway.8.gz ${made}/postern ${made}/_postern
  COMMAND postern help --format man | gzip -9n > postern.1.gz
  COMMAND gzip -9nc ${CMAKE_SOURCE_DIR}/gateway/postern-gateway.8 > postern-gateway.8.gz
  COMMAND postern help --format bash > postern
  COMMAND postern help --format zsh > _postern
  DEPENDS postern ${CMAKE_SOURCE_DIR}/gateway/postern-gateway.8
  WORKING_DIRECTORY ${made} VERBATIM)
add_custom_target(for_terminals ALL DEPENDS ${made}/postern.1.gz)

install(TARGETS postern postern-gateway)
install(DIRECTORY scenarios DESTINATION ${CMAKE_INSTALL_DATADIR}/postern)
install(FILES certs/authority.xml DESTINATION ${CMAKE_INSTALL_DATADIR}/postern/certs)
install(FILES ${made}/postern.1.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${made}/postern-gateway.8.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man8)
install(FILES ${made}/postern DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES ${made}/_postern DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions)
install(FILES cmake/postern-gateway.service DESTINATION lib/systemd/system)
set(doc ${CMAKE_INSTALL_DATADIR}/doc/postern)
install(FILES README.md DESTINATION ${doc})
install(FILES LICENSE DESTINATION ${doc} RENAME copyright)
install(DIRECTORY docs DESTINATION ${doc} FILES_MATCHING PATTERN *.md PATTERN *.yml PATTERN Jenkinsfile)
install(FILES cmake/gateway.xml DESTINATION ${doc}/examples)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGE_CONTACT "The authors of Postern <postern@postern.test>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "Tests whether a mail gateway does with TLS what its settings say")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION mail)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS bash-completion)
include(CPack)
